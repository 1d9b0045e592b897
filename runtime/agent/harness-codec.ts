/** Packets of the harness programs (bpf/harness.bpf.c): what a decision is asked and what it answers. */

import { policiesAt } from '../../compiler/abi/index.js';
import { viewOf } from '../kernel/index.js';
import { ADDRESS_BYTES, bytes, putAddress, struct } from './struct-bytes.js';
import { INPUT_PICK, LAYOUT } from './struct-layout.js';

export interface DecideInput {
  readonly source?: Uint8Array; // ingress only
  readonly destination: Uint8Array;
  readonly cgroup?: bigint;
  readonly now: bigint;
  readonly workload: number;
  readonly random: number;
  readonly pick: number | null;
  readonly port: number;
  readonly protocol: number;
}
/** struct weft_input. */
export function encodeInput(value: DecideInput): Uint8Array {
  const at = LAYOUT.weft_input;
  const view = struct('weft_input');
  if (value.source) putAddress(view, at.source, value.source);
  putAddress(view, at.destination, value.destination);
  view.setBigUint64(at.cgroup, value.cgroup ?? 0n, true);
  view.setBigUint64(at.now, value.now, true);
  view.setUint32(at.workload, value.workload, true);
  view.setUint32(at.random, value.random, true);
  view.setUint32(at.pick, value.pick ?? 0, true);
  view.setUint16(at.port, value.port, true);
  view.setUint8(at.protocol, value.protocol);
  view.setUint8(at.flags, value.pick === null ? 0 : INPUT_PICK);
  return bytes(view);
}

/** Bytes in front of every packet of the harness. */
export const HARNESS_HEAD = 16;
/** weft_policy_packet.mode: which functions weft_test_policy asks (bits). */
export const TEST_MODE = { route: 1, authorize: 2 } as const;

/** Packet of weft_test_policy, weft_test_empty and weft_test_authorize_only: a struct weft_connection. */
export function encodePolicyPacket(connection: Uint8Array, mode: number): Uint8Array {
  const at = LAYOUT.weft_policy_packet;
  const packet = new Uint8Array(HARNESS_HEAD + at.size);
  new DataView(packet.buffer).setUint32(HARNESS_HEAD + at.mode, mode, true);
  packet.set(connection, HARNESS_HEAD + at.connection);
  return packet;
}

export interface PolicyAnswer {
  readonly route: number; // site << 16 | route
  readonly verdict: number; // returned; the rest is from struct weft_decision
  readonly decision: Uint8Array;
}
/** Reads the packet that weft_test_policy gave back. */
export function decodePolicyPacket(packet: Uint8Array): PolicyAnswer {
  const at = LAYOUT.weft_policy_packet;
  const body = packet.subarray(HARNESS_HEAD);
  const view = viewOf(body, at.size);
  return {
    route: view.getUint32(at.route, true),
    verdict: view.getUint32(at.verdict, true),
    decision: body.slice(at.decision, at.verdict),
  };
}

/** Packet of weft_test_connect and weft_test_ingress. */
export function encodeDecidePacket(input: DecideInput): Uint8Array {
  const packet = new Uint8Array(HARNESS_HEAD + LAYOUT.weft_decide_packet.size);
  packet.set(encodeInput(input), HARNESS_HEAD + LAYOUT.weft_decide_packet.input);
  return packet;
}

/** Reads the packet that weft_test_connect or weft_test_ingress gave back. */
export function decodeDecidePacket(packet: Uint8Array): DecideResult {
  return decodeResult(packet.subarray(HARNESS_HEAD + LAYOUT.weft_decide_packet.result));
}

export interface DecideResult {
  readonly verdict: number;
  readonly reason: number;
  readonly site: number;
  readonly policy: number;
  readonly route: number;
  readonly routeSite: number;
  readonly service: number;
  readonly cluster: number;
  readonly endpoint: Uint8Array;
  readonly endpointPort: number;
  readonly pick: number;
  readonly source: number;
  readonly destination: number;
  readonly audited: bigint;
  readonly shadowAllow: bigint;
  readonly shadowDeny: bigint;
}
/** Reads struct weft_result. */
export function decodeResult(record: Uint8Array): DecideResult {
  const at = LAYOUT.weft_result;
  const decision = LAYOUT.weft_decision; // at the start of the result
  const view = viewOf(record, at.size);
  return {
    verdict: view.getUint32(decision.verdict, true),
    reason: view.getUint32(decision.reason, true),
    site: view.getUint32(decision.site, true),
    policy: view.getUint32(decision.policy, true),
    route: view.getUint32(at.route, true),
    routeSite: view.getUint32(at.route_site, true),
    service: view.getUint32(at.service, true),
    cluster: view.getUint32(at.cluster, true),
    endpoint: record.slice(at.endpoint, at.endpoint + ADDRESS_BYTES),
    endpointPort: view.getUint16(at.endpoint_port, true),
    pick: view.getUint32(at.pick, true),
    source: view.getUint32(at.source, true),
    destination: view.getUint32(at.destination, true),
    audited: policiesAt(view, decision.audited),
    shadowAllow: policiesAt(view, decision.shadow_allow),
    shadowDeny: policiesAt(view, decision.shadow_deny),
  };
}
