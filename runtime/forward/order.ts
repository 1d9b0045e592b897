/** What the agent has its own program in the kernel do (agent_step, bpf/agent.bpf.c): one order, and its answer. */
import { viewOf } from '../kernel/index.js';
import { encodePoolKey, FORWARD_LAYOUT, type PoolKey } from './layout.js';

/** enum weft_step. */
export const STEP = {
  take: 1,
  claim: 2,
  put: 3,
  drop: 4,
  slot: 5,
  return: 6,
  retire: 7,
  sent: 8,
  rest: 9,
  stuck: 10,
  cut: 11,
  fault: 12,
  door: 13,
  offer: 14,
} as const;

export interface Order {
  readonly step: keyof typeof STEP;
  readonly pool?: PoolKey;
  readonly index?: number;
  readonly slot?: number;
  readonly lending?: number;
  readonly bytes?: number;
}

/** Argument of agent_step. */
export function encodeOrder(order: Order): Uint8Array {
  const at = FORWARD_LAYOUT.weft_order;
  const view = new DataView(new ArrayBuffer(at.size));
  if (order.pool) new Uint8Array(view.buffer).set(encodePoolKey(order.pool), at.pool);
  view.setUint32(at.step, STEP[order.step], true);
  view.setUint32(at.index, order.index ?? 0, true);
  view.setUint32(at.slot, order.slot ?? 0, true);
  view.setUint32(at.lending, order.lending ?? 0, true);
  view.setUint32(at.bytes, order.bytes ?? 0, true);
  return new Uint8Array(view.buffer);
}

/** What agent_step answered. */
export function decodeAnswer(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(FORWARD_LAYOUT.weft_order.answer, true);
}
