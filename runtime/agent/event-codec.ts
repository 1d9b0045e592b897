/** Records of weft_events. */
import type { KernelEvent } from '../probe/index.js';
import { ADDRESS_BYTES, viewOf } from './struct-bytes.js';
import { HOOKS, LAYOUT } from './struct-layout.js';

export type { KernelEvent };

/** Reads a record of weft_events; throws RangeError where it is none (another data plane version). */
export function decodeEvent(record: Uint8Array): KernelEvent {
  const at = LAYOUT.weft_event;
  const view = viewOf(record, at.size);
  const hook = HOOKS[view.getUint8(at.hook)];
  if (hook === undefined) throw new RangeError(`no hook has number ${view.getUint8(at.hook)}`);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const u64 = (offset: number): bigint => view.getBigUint64(offset, true);
  const address = (offset: number): Uint8Array => record.slice(offset, offset + ADDRESS_BYTES);
  return {
    time: u64(at.time),
    now: u64(at.now),
    cookie: u64(at.cookie),
    cgroup: u64(at.cgroup),
    audited: u64(at.audited),
    shadowAllow: u64(at.shadow_allow),
    shadowDeny: u64(at.shadow_deny),
    source: address(at.source),
    destination: address(at.destination),
    endpoint: address(at.endpoint),
    generation: u32(at.generation),
    verdict: u32(at.verdict),
    reason: u32(at.reason),
    site: u32(at.site),
    policy: u32(at.policy),
    route: u32(at.route),
    routeSite: u32(at.route_site),
    service: u32(at.service),
    cluster: u32(at.cluster),
    sourceWorkload: u32(at.source_workload),
    destinationWorkload: u32(at.destination_workload),
    random: u32(at.random),
    pick: u32(at.pick),
    sourcePort: view.getUint16(at.source_port, true),
    destinationPort: view.getUint16(at.destination_port, true),
    endpointPort: view.getUint16(at.endpoint_port, true),
    protocol: view.getUint8(at.protocol),
    family: view.getUint8(at.family),
    hook,
  };
}
