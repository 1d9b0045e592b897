/**
 * The way back of the short circuit (bpf/replies.bpf.c). One of its programs runs for every socket of
 * the machine that gets data, so it is attached by the first load that asks for the short circuit; it
 * stays until the node is unloaded, since connections outlive the generation that let them go so.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ATTACH_TYPE, type Kernel, KernelError } from '../kernel/index.js';
import { EXCHANGE_NODE_MAPS, NODE_MAPS, REQUEST_NODE_MAPS } from './layout.js';
import type { NodeMaps } from './node.js';
import { readObject } from './objects.js';
import { type Paths, pinsOf } from './paths.js';

/** Maps that its object does not have. */
const OTHERS: ReadonlySet<string> = new Set([
  'weft_meetings',
  'weft_proofs',
  'weft_strangers',
  'weft_server_states',
  'weft_held',
  'weft_held_empty',
  'weft_slots_server',
]);

/** The node's maps that it has, in whatever object; it uses few of them. */
export const REPLY_CIRCUIT_MAPS: readonly string[] = [
  ...NODE_MAPS,
  ...REQUEST_NODE_MAPS,
  ...EXCHANGE_NODE_MAPS,
].filter((name) => !OTHERS.has(name));

/** True where a kernel has no such tracepoint to attach to. */
export function lacksTracepoint(error: unknown): boolean {
  return error instanceof KernelError && error.errno === constants.errno.ESRCH;
}

/**
 * Attaches it where it is not. Kernels before 6.3 have no such tracepoint: there replies stay on TCP.
 * Throws KernelError.
 */
export function openReplyCircuit(kernel: Kernel, paths: Paths, node: NodeMaps): void {
  const pin = pinsOf.replies(paths);
  if (existsSync(pin)) return;
  const reuse = Object.fromEntries(
    REPLY_CIRCUIT_MAPS.map((name) => [name, node.map(name)] as const),
  );
  try {
    using object = kernel.load({ name: 'replies', bytes: readObject('replies'), reuse });
    using link = kernel.attachTracepoint(object.program('weft_delivered'));
    const reply = object.program('weft_send_reply');
    kernel.attachMap(reply, node.map('weft_servers'), ATTACH_TYPE.skMsgVerdict);
    for (const name of ['weft_delivered', 'weft_send_reply'])
      object.program(name).pin(join(pinsOf.stubs(paths), name));
    link.pin(pin);
  } catch (error) {
    if (!lacksTracepoint(error)) throw error;
  }
}
