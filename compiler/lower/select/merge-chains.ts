/**
 * Pass    merge-chains
 * Reads   selected code
 * Writes  the same with each block joined to its successor where neither has another neighbour there
 * Refuses nothing
 * Keeps   what is executed; labels of blocks that remain
 */
import type { Label } from '../asm/index.js';
import { type LirFunc, reversePostorder, successorsOf } from '../lir.js';

/** Merges in place. */
export function mergeChains(func: LirFunc): void {
  const order = reversePostorder(func.blocks);
  const predecessors = new Map<Label, number>();
  for (const label of order) {
    const block = func.blocks[label];
    for (const to of block === undefined ? [] : successorsOf(block)) {
      predecessors.set(to, (predecessors.get(to) ?? 0) + 1);
    }
  }
  const gone = new Set<Label>();
  for (const label of order) {
    const block = func.blocks[label];
    if (block === undefined || gone.has(label)) continue;
    const steps = [...block.steps];
    for (let { exit } = block; exit.op === 'goto'; exit = block.exit) {
      const next = func.blocks[exit.to];
      const joined = exit.to !== label && exit.to !== 0 && predecessors.get(exit.to) === 1;
      if (next === undefined || !joined) break;
      gone.add(exit.to);
      for (const step of next.steps) steps.push(step);
      block.exit = next.exit;
    }
    block.steps = steps;
  }
}
