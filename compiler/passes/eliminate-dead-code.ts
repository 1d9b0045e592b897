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
  func.blocks = func.blocks.filter((block) => reachable.has(block.id));

  const defs = new Map<ValueId, Instr>();
  // Arguments that reach each block parameter.
  const fed = new Map<ValueId, ValueId[]>();
  const work: ValueId[] = [];
  const blocks = blockMap(func);
  for (const block of func.blocks) {
    for (const instr of block.instrs) {
      defs.set(instr.id, instr);
      if (hasEffect(instr)) work.push(instr.id);
    }
    const value = termValue(block.term);
    if (value !== null) work.push(value);
    for (const target of targetsOf(block.term)) {
      blocks.get(target.block)?.params.forEach((param, i) => {
        const arg = target.args[i];
        if (arg === undefined) return;
        const known = fed.get(param.id);
        if (known === undefined) fed.set(param.id, [arg]);
        else known.push(arg);
      });
    }
  }
  const live = new Set<ValueId>();
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    if (live.has(value)) continue;
    live.add(value);
    const def = defs.get(value);
    work.push(...(def === undefined ? (fed.get(value) ?? []) : operandsOf(def)));
  }
  for (const block of func.blocks) {
    const kept = block.instrs.filter((instr) => live.has(instr.id));
    changed ||= kept.length !== block.instrs.length;
    block.instrs = kept;
  }
  const gone = new Set(
    func.blocks.flatMap((b) => b.params.map((p) => p.id)).filter((id) => !live.has(id)),
  );
  if (gone.size > 0) dropParams(func, gone);
  return changed || gone.size > 0;
}
