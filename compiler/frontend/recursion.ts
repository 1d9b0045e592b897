/**
 * Calls of functions that may call the caller back. One that is the last thing a function does needs no place to
 * come back to, so such recursion is a loop. Any other needs a frame, of which a decision has a bounded number.
 */
import { components } from '../ir/index.js';
import type { FuncType, WasmBody, WasmInstr, WasmModule } from './wasm/index.js';

/** True where what stands at `next` only leaves the function, with what the stack holds. */
function isLast({ instrs }: WasmBody, next: number): boolean {
  let at = next;
  for (;;) {
    const instr = instrs[at];
    if (instr === undefined) return true;
    at += 1;
    if (instr.op === 'return') return true;
    if (instr.op === 'else') at = behindEnd(instrs, at);
    else if (instr.op !== 'end' && instr.op !== 'nop') return false;
  }
}

/** Index behind the `end` of what is open at `from`. */
export function behindEnd(instrs: WasmBody['instrs'], from: number): number {
  let depth = 1;
  let at = from;
  while (depth > 0 && at < instrs.length) {
    const instr = instrs[at];
    if (instr?.type != null) depth += 1;
    else if (instr?.op === 'end') depth -= 1;
    at += 1;
  }
  return at;
}

/** Where functions of a module call each other back. */
export interface Recursion {
  /** Offsets of calls that are the last thing a function does. */
  readonly tails: ReadonlySet<number>;
  /** Offsets of all others. */
  readonly deep: ReadonlySet<number>;
  /** The functions that may call each other back, of which one does so by a call that is not its last; null for others. */
  readonly groupOf: (func: number) => ReadonlySet<number> | null;
}

/** Calls of a function that stands there by its number. */
export const CALLS: ReadonlySet<string> = new Set(['call', 'return_call']);
const INDIRECT: ReadonlySet<string> = new Set(['call_indirect', 'return_call_indirect']);

/** Finds recursion; `return_call`, which the fuel writes for tails, is recursion too. */
export function findRecursion(module: WasmModule): Recursion {
  const { bodies, importedFunctions: imported } = module;
  const signature = (type: FuncType | undefined): string => JSON.stringify(type);
  /** Functions that a call may lead to. */
  const callees = ({ op, index, second }: WasmInstr): number[] => {
    if (CALLS.has(op)) return index >= imported ? [index] : [];
    if (!INDIRECT.has(op) || !module.tablesKnown) return [];
    const wanted = signature(module.types[index]);
    const inTable = [...(module.tables.get(second)?.values() ?? [])];
    return inTable.filter((func) => signature(module.functions[func]) === wanted);
  };
  const next = (func: number): number[] => (bodies[func - imported]?.instrs ?? []).flatMap(callees);
  const groups = new Map<number, ReadonlySet<number>>();
  for (const members of components(
    bodies.map((_, i) => imported + i),
    next,
  )) {
    const group = new Set(members);
    for (const member of members) groups.set(member, group);
  }
  const results = (type: FuncType | undefined): string => JSON.stringify(type?.results);
  const tails = new Set<number>();
  const deep = new Set<number>();
  const withDeep = new Set<ReadonlySet<number>>();
  for (const [i, body] of bodies.entries()) {
    const group = groups.get(imported + i);
    const own = results(module.functions[imported + i]);
    for (const [at, instr] of body.instrs.entries()) {
      if (instr.op.startsWith('return_call') || group === undefined) continue;
      if (!callees(instr).some((callee) => group.has(callee))) continue;
      const called = INDIRECT.has(instr.op)
        ? module.types[instr.index]
        : module.functions[instr.index];
      if (results(called) === own && isLast(body, at + 1)) tails.add(instr.pos);
      else {
        deep.add(instr.pos);
        withDeep.add(group);
      }
    }
  }
  const groupOf = (func: number): ReadonlySet<number> | null => {
    const group = groups.get(func);
    return group !== undefined && withDeep.has(group) ? group : null;
  };
  return { tails, deep, groupOf };
}
