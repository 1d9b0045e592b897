/** The branches that every way to a block takes, nearest first: what holds there. */
import {
  type BlockId,
  blockMap,
  dominators,
  type Func,
  predecessors,
  type ValueId,
} from '../ir/index.js';

/** A condition that a branch decided. */
export interface Decided {
  readonly condition: ValueId;
  readonly holds: boolean;
}

/** A function that answers for a block. */
export function decidedBranches(func: Func): (block: BlockId) => readonly Decided[] {
  const blocks = blockMap(func);
  const preds = predecessors(func);
  const { parent } = dominators(func);
  return (start) => {
    const found: Decided[] = [];
    for (let id: BlockId | null = start; id !== null; id = parent.get(id) ?? null) {
      const before = preds.get(id) ?? [];
      const [only] = before;
      if (only === undefined || before.length !== 1) continue;
      const term = blocks.get(only)?.term;
      if (term?.op !== 'br_if' || term.then.block === term.else.block) continue;
      found.push({ condition: term.condition, holds: term.then.block === id });
    }
    return found;
  };
}
