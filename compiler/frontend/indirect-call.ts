/**
 * call_indirect as a function of our own that takes the slot behind the arguments: a br_table over the
 * slots whose functions have the type, each a direct call; every other slot traps, as in WASM.
 * It burns no fuel, since the engine that runs call_indirect itself burns none either.
 */
import type { FuncType, WasmBody, WasmInstr } from './wasm/index.js';

const NO_VALUES: FuncType = { params: [], results: [] };

/** The function for one type of call; `slots` are functions of that type, `pos` a call's place, `isTail` for `return_call_indirect`. */
export function indirectCall(
  type: FuncType,
  slots: ReadonlyMap<number, number>,
  { pos, isTail }: { readonly pos: number; readonly isTail: boolean },
): { readonly type: FuncType; readonly body: WasmBody } {
  const instr = (op: string, rest: Partial<WasmInstr> = {}): WasmInstr => ({
    ...{ op, pos, end: pos, index: 0, second: 0, value: 0n, labels: [], type: null },
    ...rest,
  });
  const callees = [...new Set(slots.values())];
  const last = Math.max(-1, ...slots.keys());
  // Depth i leads to the i-th callee, the outermost block to the trap.
  const labels = Array.from({ length: last + 2 }, (_, slot) => {
    const callee = slots.get(slot);
    return callee === undefined ? callees.length : callees.indexOf(callee);
  });
  const get = (index: number): WasmInstr => instr('local.get', { index });
  const slot = type.params.length;
  const instrs = [
    ...Array.from({ length: callees.length + 1 }, () => instr('block', { type: NO_VALUES })),
    get(slot),
    instr('br_table', { labels }),
    ...callees.flatMap((callee) => [
      instr('end'),
      ...type.params.map((_, i) => get(i)),
      instr(isTail ? 'return_call' : 'call', { index: callee }),
      instr('return'),
    ]),
    instr('end'),
    instr('unreachable'),
    instr('end'),
  ];
  const params: FuncType['params'] = [...type.params, 'i32'];
  return {
    type: { params, results: type.results },
    body: { pos, end: pos, locals: [], instrs },
  };
}
