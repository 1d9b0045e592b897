/**
 * Pass:    eliminate-dead-code
 * Reads:   the whole function
 * Writes:  removes unreachable blocks, instructions without effect whose value nothing needs, and block
 *          parameters that nothing needs (also where they only feed themselves around a loop)
 * Refuses: nothing
 * Keeps:   every trap and every effect; order of what stays
 */
import {
  type BlockId,
  blockMap,
  type Func,
  hasEffect,
  type Instr,
  operandsOf,
  reversePostorder,
  targetsOf,
  termValue,
  type ValueId,
} from '../ir/index.js';
import { dropParams } from './simplify-params.js';

/** Removes what cannot be reached or observed. */
export function eliminateDeadCode(func: Func): boolean {
  const reachable = new Set<BlockId>(reversePostorder(func).map((block) => block.id));
  let changed = reachable.size !== func.blocks.length;
  if (changed) func.blocks = func.blocks.filter((block) => reachable.has(block.id));

  // By value, whose numbers are small; a function may have very many.
  const defs = new Array<Instr | undefined>(func.nextValue);
  // Arguments that reach each block parameter.
  const fed = new Map<ValueId, ValueId[]>();
  const work: ValueId[] = [];
  const blocks = blockMap(func);
  for (const block of func.blocks) {
    for (const instr of block.instrs) {
      defs[instr.id] = instr;
      if (hasEffect(instr)) work.push(instr.id);
    }
    const value = termValue(block.term);
    if (value !== null) work.push(value);
    for (const target of targetsOf(block.term)) {
      if (target.args.length === 0) continue;
      blocks.get(target.block)?.params.forEach((param, i) => {
        const arg = target.args[i];
        if (arg === undefined) return;
        const known = fed.get(param.id);
        if (known === undefined) fed.set(param.id, [arg]);
        else known.push(arg);
      });
    }
  }
  const live = new Array<boolean | undefined>(func.nextValue);
  const isDead = ({ id }: { readonly id: ValueId }): boolean => live[id] !== true;
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    if (live[value] === true) continue;
    live[value] = true;
    const def = defs[value];
    for (const arg of def === undefined ? (fed.get(value) ?? []) : operandsOf(def)) work.push(arg);
  }
  for (const block of func.blocks) {
    if (!block.instrs.some(isDead)) continue;
    block.instrs = block.instrs.filter((instr) => !isDead(instr));
    changed = true;
  }
  const gone = new Set(
    func.blocks.flatMap(({ params }) => params.filter(isDead).map(({ id }) => id)),
  );
  if (gone.size > 0) dropParams(func, gone);
  return changed || gone.size > 0;
}
