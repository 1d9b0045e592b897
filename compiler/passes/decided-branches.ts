/** The branches that every way to a block takes, nearest first: what holds there. */
import {
  type Block,
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

/** What the only edge to a block says; null where there are several, or it says nothing. */
function entryBranches(func: Func): (block: BlockId) => Decided | null {
  const blocks = blockMap(func);
  const preds = predecessors(func);
  return (id) => {
    const before = preds.get(id) ?? [];
    const [only] = before;
    if (only === undefined || before.length !== 1) return null;
    return branchTo(blocks.get(only), id);
  };
}

/** What an edge says. */
export function branchTo(from: Block | undefined, id: BlockId): Decided | null {
  const term = from?.term;
  if (term?.op !== 'br_if' || term.then.block === term.else.block) return null;
  return { condition: term.condition, holds: term.then.block === id };
}

/** A function that answers for a block. */
export function decidedBranches(func: Func): (block: BlockId) => readonly Decided[] {
  const entry = entryBranches(func);
  const { parent } = dominators(func);
  return (start) => {
    const found: Decided[] = [];
    for (let id: BlockId | null = start; id !== null; id = parent.get(id) ?? null) {
      const branch = entry(id);
      if (branch !== null) found.push(branch);
    }
    return found;
  };
}
