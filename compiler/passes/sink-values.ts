/**
 * Pass:    sink-values
 * Reads:   uses of each value, dominators, loops
 * Writes:  moves an instruction without effect down to the only block that uses its value, or to the last
 *          that comes before all that do, so that a path that decides earlier does not pay for it and a
 *          comparison stands beside its branch
 * Refuses: nothing
 * Keeps:   traps and effects; nothing moves into a loop; loads through a pointer stay where stores are
 */
import {
  type BlockId,
  blockMap,
  dominators,
  type Func,
  hasEffect,
  type Instr,
  loops,
  operandsOf,
  reversePostorder,
  targetsOf,
  termValue,
  type ValueId,
} from '../ir/index.js';

function movable(instr: Instr, stores: boolean): boolean {
  if (hasEffect(instr) || instr.op === 'launder') return false;
  // A division is defined only behind its check, which dominates where it is.
  return !(stores && instr.op === 'load.pointer');
}

/** The last block that every way to these goes through; null where there are none. */
function meetOf(
  ids: ReadonlySet<BlockId>,
  parent: ReadonlyMap<BlockId, BlockId | null>,
  rank: ReadonlyMap<BlockId, number>,
): BlockId | null {
  const rankOf = (id: BlockId): number => rank.get(id) ?? 0;
  let [meet = null, ...others] = ids;
  for (let other of others) {
    while (meet !== null && meet !== other) {
      if (rankOf(meet) > rankOf(other)) meet = parent.get(meet) ?? null;
      else other = parent.get(other) ?? other;
    }
  }
  return meet;
}

/** Moves values to where they are needed. */
export function sinkValues(func: Func): boolean {
  const stores = func.blocks.some((b) => b.instrs.some((i) => i.op === 'store.pointer'));
  // How many loops a block is in, and which is the innermost.
  const innermost = new Map<BlockId, BlockId>();
  for (const loop of loops(func)) for (const id of loop.blocks) innermost.set(id, loop.header);
  const users = new Map<ValueId, Set<BlockId>>();
  const use = (value: ValueId, block: BlockId): void => {
    const set = users.get(value) ?? new Set<BlockId>();
    users.set(value, set.add(block));
  };
  for (const block of func.blocks) {
    for (const instr of block.instrs) for (const arg of operandsOf(instr)) use(arg, block.id);
    const value = termValue(block.term);
    if (value !== null) use(value, block.id);
    for (const target of targetsOf(block.term)) for (const arg of target.args) use(arg, block.id);
  }
  const blocks = blockMap(func);
  const { parent } = dominators(func);
  const rank = new Map(reversePostorder(func).map((block, i) => [block.id, i]));
  let changed = false;
  // Users before definitions: a chain of values sinks as a whole.
  for (const block of reversePostorder(func).reverse()) {
    const staying: Instr[] = [];
    // What the rest of the block, from here down, still uses.
    const needed = new Set<ValueId>(targetsOf(block.term).flatMap((target) => target.args));
    const value = termValue(block.term);
    if (value !== null) needed.add(value);
    for (const instr of [...block.instrs].reverse()) {
      const here = users.get(instr.id) ?? new Set<BlockId>();
      if (!needed.has(instr.id)) here.delete(block.id);
      const common = meetOf(here, parent, rank);
      const to = common === null ? undefined : blocks.get(common);
      const level = to !== undefined && innermost.get(to.id) === innermost.get(block.id);
      if (to === undefined || to === block || !level || !movable(instr, stores)) {
        staying.push(instr);
        for (const arg of operandsOf(instr)) needed.add(arg);
        continue;
      }
      to.instrs = [instr, ...to.instrs];
      for (const arg of operandsOf(instr)) use(arg, to.id);
      changed = true;
    }
    block.instrs = staying.reverse();
  }
  return changed;
}
