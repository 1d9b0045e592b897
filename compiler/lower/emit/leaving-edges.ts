/**
 * Edges that leave a loop for good. A verifier that walks every turn goes on where a test falls through,
 * and keeps the other way for later, at most 8,192 of them: so what leaves should fall through.
 */
import { components } from '../../ir/graph.js';
import type { Label } from '../asm/index.js';
import { type LirFunc, reversePostorder, successorsOf } from '../lir.js';

/** True for an edge from within a cycle to a block that does not lead back into it. */
export function leavingEdges(func: LirFunc): (from: Label, to: Label) => boolean {
  const successors = (label: Label): Label[] => {
    const block = func.blocks[label];
    return block === undefined ? [] : successorsOf(block);
  };
  const cycle = new Map<Label, number>();
  for (const [i, group] of components(reversePostorder(func.blocks), successors).entries()) {
    const [only] = group;
    const isCycle = group.length > 1 || (only !== undefined && successors(only).includes(only));
    if (isCycle) for (const label of group) cycle.set(label, i);
  }
  return (from, to) => cycle.has(from) && cycle.get(from) !== cycle.get(to);
}
