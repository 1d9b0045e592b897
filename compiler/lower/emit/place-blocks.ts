/**
 * The order of blocks in the code. Each is followed, where possible, by one of its successors, so that
 * it falls through: the one that comes first in reverse postorder and is not placed yet.
 *
 * INVARIANT: a loop's header comes before its body, since a block is placed only behind one that leads
 * to it; so no back edge falls through, which kernels before 6.12 refuse.
 */
import type { Label } from '../asm/index.js';
import { exitLabels, type LirFunc, reversePostorder } from '../lir.js';

/** Labels of the reachable blocks in code order. */
export function placeBlocks(func: LirFunc): Label[] {
  const order = reversePostorder(func.blocks);
  const place = new Map(order.map((label, i) => [label, i]));
  const placed = new Set<Label>();
  for (const start of order) {
    for (let at: Label | undefined = start; at !== undefined && !placed.has(at); ) {
      placed.add(at);
      const block = func.blocks[at];
      const open: Label[] = (block === undefined ? [] : exitLabels(block.exit)).filter(
        (label) => !placed.has(label),
      );
      at = open.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0))[0];
    }
  }
  return [...placed];
}
