/**
 * Calls that are the last thing a function does, of a function that may call it back: they need no place to
 * come back to, so the recursion is a loop. Other recursion would need a stack of its own, and is refused.
 */
import { components } from '../ir/index.js';
import type { WasmBody, WasmModule } from './wasm/index.js';

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
function behindEnd(instrs: WasmBody['instrs'], from: number): number {
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

/** Offsets of such calls, in all bodies. */
export function findTailCalls(module: WasmModule): ReadonlySet<number> {
  const { bodies, importedFunctions: imported } = module;
  const callees = (func: number): number[] =>
    (bodies[func - imported]?.instrs ?? []).flatMap((i) =>
      i.op === 'call' && i.index >= imported ? [i.index] : [],
    );
  const group = new Map<number, number>();
  const all = bodies.map((_, i) => imported + i);
  for (const [i, members] of components(all, callees).entries())
    for (const member of members) group.set(member, i);
  const found = new Set<number>();
  const resultsOf = (func: number): string => JSON.stringify(module.functions[func]?.results);
  for (const [i, body] of bodies.entries()) {
    const caller = imported + i;
    for (const [at, instr] of body.instrs.entries()) {
      if (instr.op !== 'call' || group.get(instr.index) !== group.get(caller)) continue;
      if (resultsOf(instr.index) === resultsOf(caller) && isLast(body, at + 1))
        found.add(instr.pos);
    }
  }
  return found;
}
