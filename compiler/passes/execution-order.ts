/** Which of two instructions is executed before the other: always, or on some way. */
import {
  type BlockId,
  blockMap,
  dominators,
  type Func,
  successors,
  type ValueId,
} from '../ir/index.js';

export interface ExecutionOrder {
  /** The first is executed before the second on all ways to it. */
  readonly always: (a: ValueId, b: ValueId) => boolean;
  /** The first may be executed before the second. */
  readonly maybe: (a: ValueId, b: ValueId) => boolean;
}

/** The order of a function's instructions, by the values that they define. */
export function executionOrder(func: Func): ExecutionOrder {
  const places = new Map<ValueId, { block: BlockId; index: number }>();
  for (const block of func.blocks) {
    for (const [index, { id }] of block.instrs.entries())
      places.set(id, { block: block.id, index });
  }
  const { dominates } = dominators(func);
  const blocks = blockMap(func);
  const known = new Map<BlockId, Set<BlockId>>();
  const reachedFrom = (start: BlockId): Set<BlockId> => {
    const reached = known.get(start) ?? new Set<BlockId>();
    if (known.has(start)) return reached;
    const work = [start];
    for (let id = work.pop(); id !== undefined; id = work.pop()) {
      const block = blocks.get(id);
      for (const next of block === undefined ? [] : successors(block)) {
        if (!reached.has(next)) work.push(next);
        reached.add(next);
      }
    }
    known.set(start, reached);
    return reached;
  };
  const order = (a: ValueId, b: ValueId, apart: (a: BlockId, b: BlockId) => boolean): boolean => {
    const [first, second] = [places.get(a), places.get(b)];
    if (first === undefined || second === undefined) return false;
    if (first.block === second.block && first.index < second.index) return true;
    return first.block !== second.block && apart(first.block, second.block);
  };
  return {
    always: (a, b) => order(a, b, dominates),
    maybe: (a, b) => {
      const [from, to] = [places.get(a)?.block, places.get(b)?.block];
      const around = from !== undefined && to !== undefined && reachedFrom(from).has(to);
      return around || order(a, b, () => false);
    },
  };
}
