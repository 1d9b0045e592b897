/** How often each value is used, terminators and block arguments included. */
import { targetsOf } from '../../ir/operands.js';
import type { Func, ValueId } from '../../ir/types.js';

/** Counts the uses of every value of a function. */
export function countUses(func: Func): ReadonlyMap<ValueId, number> {
  const uses = new Map<ValueId, number>();
  const use = (value: ValueId): void => {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  };
  for (const { instrs, term } of func.blocks) {
    for (const instr of instrs) if ('args' in instr) for (const arg of instr.args) use(arg);
    if (term.op === 'br_if') use(term.condition);
    if (term.op === 'switch') use(term.value);
    if (term.op === 'return' && term.value !== null) use(term.value);
    for (const target of targetsOf(term)) for (const arg of target.args) use(arg);
  }
  return uses;
}
