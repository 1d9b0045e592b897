/**
 * Which functions read or write what changes within a decision: memory, where any function writes it, and
 * globals of the runtime. They are inlined into the entry, where all of it becomes values.
 */
import { STORES } from './build-ops.js';
import type { Scratch } from './types.js';
import type { WasmInstr, WasmModule } from './wasm/index.js';

export interface DecisionState {
  readonly writesMemory: boolean;
  /** Globals of the scratch that some function assigns, and the depth of recursion. */
  readonly globals: readonly number[];
  /** Functions that touch any of it, themselves or by what they call. */
  readonly functions: ReadonlySet<number>;
}

/** Looks at all functions; those of the configure phase are empty by now. */
export function readState(
  module: WasmModule,
  scratch: Scratch | null,
  depthGlobal: number | null,
): DecisionState {
  const all = module.bodies.flatMap((body) => body.instrs);
  const writesMemory = scratch !== null && all.some((instr) => STORES.has(instr.op));
  const assigned = new Set(all.flatMap((i) => (i.op === 'global.set' ? i.index : [])));
  const own = new Set([
    ...(scratch?.globals ?? []),
    ...(depthGlobal === null ? [] : [depthGlobal]),
  ]);
  const globals = [...own].filter((index) => assigned.has(index));
  const touches = (instr: WasmInstr): boolean =>
    (writesMemory && (STORES.has(instr.op) || instr.op.includes('.load'))) ||
    (/^global\./.test(instr.op) && globals.includes(instr.index));
  const functions = new Set<number>();
  const callers = new Map<number, number[]>();
  const indirect = [...module.tables.values()].flatMap((table) => [...table.values()]);
  module.bodies.forEach((body, i) => {
    const func = module.importedFunctions + i;
    if (body.instrs.some(touches)) functions.add(func);
    for (const instr of body.instrs) {
      const callees =
        instr.op === 'call' || instr.op === 'return_call'
          ? [instr.index]
          : instr.op === 'call_indirect' || instr.op === 'return_call_indirect'
            ? indirect
            : [];
      for (const callee of callees) callers.set(callee, [...(callers.get(callee) ?? []), func]);
    }
  });
  // The set grows while it is walked.
  for (const func of functions) for (const caller of callers.get(func) ?? []) functions.add(caller);
  return { writesMemory, globals, functions };
}
