/**
 * Pass:    part-compares
 * Reads:   comparisons that branches of other blocks decide by
 * Writes:  such a branch gets a comparison of its own, in its block
 * Refuses: nothing
 * Keeps:   values; what is executed (lowering jumps by a comparison wherever it is decided by)
 *
 * A comparison is made where it is needed, so its operands live until there. Where they get new names on the way
 * (merge-ways), each old name would keep a register or a stack slot for one branch far below.
 */
import { definitions, type Func, newValue } from '../ir/index.js';

/** Puts comparisons beside the branches that decide by them. */
export function partCompares(func: Func): boolean {
  const defs = definitions(func);
  let changed = false;
  for (const block of func.blocks) {
    const { term } = block;
    if (term.op !== 'br_if') continue;
    const def = defs.get(term.condition);
    if (def?.op !== 'compare' || block.instrs.some(({ id }) => id === def.id)) continue;
    const id = newValue(func);
    block.instrs = [...block.instrs, { ...def, id }];
    block.term = { ...term, condition: id };
    changed = true;
  }
  return changed;
}
