/** Which locations (registers, or stack slots) are live at the ends of each block: backward dataflow. */
import type { Label } from '../asm/index.js';
import { exitLabels, type LirBlock, reversePostorder, type Step } from '../lir.js';

/** What a step or a block's end reads and writes. */
export interface Effects<L extends number> {
  readonly uses: (step: Step) => readonly L[];
  readonly defs: (step: Step) => readonly L[];
  readonly exitUses: (block: LirBlock) => readonly L[];
}

/** Locations live after each block, by label. */
export function liveOut<L extends number>(
  blocks: readonly LirBlock[],
  effects: Effects<L>,
): ReadonlyMap<Label, ReadonlySet<L>> {
  const order = reversePostorder(blocks).reverse();
  const ins = new Map<Label, Set<L>>(order.map((label) => [label, new Set()]));
  const outs = new Map<Label, Set<L>>(order.map((label) => [label, new Set()]));
  for (let changed = true; changed; ) {
    changed = false;
    for (const label of order) {
      const block = blocks[label];
      const out = outs.get(label);
      const before = ins.get(label);
      if (block === undefined || out === undefined || before === undefined) continue;
      // Trap exits read nothing, so only the end of the block counts.
      for (const next of exitLabels(block.exit)) for (const l of ins.get(next) ?? []) out.add(l);
      const live = liveIn(block, out, effects);
      if (live.size !== before.size) changed = true;
      ins.set(label, live);
    }
  }
  return outs;
}

function liveIn<L extends number>(
  block: LirBlock,
  out: ReadonlySet<L>,
  effects: Effects<L>,
): Set<L> {
  const live = new Set(out);
  for (const l of effects.exitUses(block)) live.add(l);
  for (const step of block.steps.toReversed()) {
    for (const l of effects.defs(step)) live.delete(l);
    for (const l of effects.uses(step)) live.add(l);
  }
  return live;
}
