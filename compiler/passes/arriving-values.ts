/** What the parameters of blocks are given, and where from. */
import { type BlockId, type Func, targetsOf, type ValueId } from '../ir/index.js';

export interface Arrival {
  readonly from: BlockId;
  readonly value: ValueId;
}

/** By parameter; nothing for those of the function itself. */
export function arrivingValues(func: Func): ReadonlyMap<ValueId, readonly Arrival[]> {
  const params = new Map(func.blocks.map(({ id, params: own }) => [id, own]));
  const found = new Map<ValueId, Arrival[]>();
  for (const { id: from, term } of func.blocks) {
    for (const { block, args } of targetsOf(term)) {
      for (const [i, param] of (params.get(block) ?? []).entries()) {
        const value = args[i];
        const known = found.get(param.id) ?? [];
        found.set(param.id, known);
        if (value !== undefined) known.push({ from, value });
      }
    }
  }
  return found;
}
