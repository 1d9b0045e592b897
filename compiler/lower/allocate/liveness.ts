/** Which locations (registers, or stack slots) are live at the ends of each block: backward dataflow. */
import type { Label } from '../asm/index.js';
import { exitLabels, type LirBlock, reversePostorder, type Step } from '../lir.js';

/** What a step or a block's end reads and writes. */
export interface Effects<L extends number> {
  readonly uses: (step: Step) => readonly L[];
  readonly defs: (step: Step) => readonly L[];
  readonly exitUses: (block: LirBlock) => readonly L[];
}

/** What a block reads before it writes it, and what it writes. */
interface Summary<L extends number> {
  readonly reads: ReadonlySet<L>;
  readonly writes: ReadonlySet<L>;
}

/** Locations live after each block, by label. */
export function liveOut<L extends number>(
  blocks: readonly LirBlock[],
  effects: Effects<L>,
): ReadonlyMap<Label, ReadonlySet<L>> {
  const order = reversePostorder(blocks).reverse();
  const ins = new Map<Label, Set<L>>();
  const outs = new Map<Label, Set<L>>();
  const summaries = new Map<Label, Summary<L>>();
  for (const label of order) {
    const block = blocks[label];
    if (block === undefined) continue;
    const summary = summarise(block, effects);
    summaries.set(label, summary);
    ins.set(label, new Set(summary.reads));
    outs.set(label, new Set());
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const [label, summary] of summaries) {
      const [block, live, out] = [blocks[label], ins.get(label), outs.get(label)];
      if (block === undefined || live === undefined || out === undefined) continue;
      // Trap exits read nothing, so only the end of the block counts.
      for (const next of exitLabels(block.exit)) {
        for (const l of ins.get(next) ?? []) {
          if (out.has(l)) continue;
          out.add(l);
          changed = true;
          if (!summary.writes.has(l)) live.add(l);
        }
      }
    }
  }
  return outs;
}

function summarise<L extends number>(block: LirBlock, effects: Effects<L>): Summary<L> {
  const reads = new Set(effects.exitUses(block));
  const writes = new Set<L>();
  for (const step of block.steps.toReversed()) {
    for (const l of effects.defs(step)) {
      reads.delete(l);
      writes.add(l);
    }
    for (const l of effects.uses(step)) reads.add(l);
  }
  return { reads, writes };
}
