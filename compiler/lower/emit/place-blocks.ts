/**
 * The order of blocks in the code. Each is followed, where possible, by one of its successors, so that
 * it falls through; a block where ways join waits until all of them (but for loops) are placed.
 *
 * INVARIANT: code without loops only jumps forward, and a loop's header comes before its body: no back
 * edge falls through, which kernels before 6.12 refuse.
 */
import type { Label } from '../asm/index.js';
import { exitLabels, type LirBlock, type LirFunc, reversePostorder } from '../lir.js';

/** Labels of the reachable blocks in code order. */
export function placeBlocks(func: LirFunc): Label[] {
  const order = reversePostorder(func.blocks);
  const rank = new Map(order.map((label, i) => [label, i]));
  const rankOf = (label: Label): number => rank.get(label) ?? 0;
  const waiting = new Map<Label, number>();
  const ahead = (label: Label): Label[] => {
    const block = func.blocks[label];
    const labels = block === undefined ? [] : preferred(block);
    return labels.filter((to) => rankOf(to) > rankOf(label));
  };
  for (const label of order) {
    for (const to of ahead(label)) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  }
  const placed = new Set<Label>();
  for (const start of order) {
    for (let at: Label | undefined = start; at !== undefined && !placed.has(at); ) {
      placed.add(at);
      const next = ahead(at);
      for (const to of next) waiting.set(to, (waiting.get(to) ?? 0) - 1);
      at = next.find((to) => waiting.get(to) === 0 && !placed.has(to));
    }
  }
  return [...placed];
}

/** Successors at the end of a block, the one to fall through to first. */
function preferred(block: LirBlock): Label[] {
  // A bit test cannot be negated, so only its `no` can follow.
  const bitTest = block.exit.op === 'if' && block.exit.test.kind === 'set';
  return bitTest ? exitLabels(block.exit).reverse() : exitLabels(block.exit);
}
