/**
 * Pass:    order-blocks
 * Reads:   the flow graph
 * Writes:  the order of blocks: reverse postorder, blocks that stop the decision last
 * Refuses: nothing
 * Keeps:   everything else
 */
import { type Func, reversePostorder } from '../ir/index.js';

/** Puts blocks in layout order. */
export function orderBlocks(func: Func): boolean {
  const order = reversePostorder(func);
  const stops = order.filter((block, i) => i > 0 && block.term.op === 'trap');
  const before = func.blocks;
  func.blocks = [...order.filter((block) => !stops.includes(block)), ...stops];
  return func.blocks.some((block, i) => block !== before[i]);
}
