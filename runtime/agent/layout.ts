/**
 * Byte layouts of the data plane's maps and records: the twin of bpf/types.h. The unit test
 * `layout` compares every offset and size with the BTF of the built object, so a change on one
 * side alone fails. Little-endian, but for addresses, which are in network order.
 */
import { ATTRIBUTE_SLOTS } from '../../compiler/abi/index.js';

/** Offsets of the fields of each struct, by the names of bpf/types.h, and its size. */
export const LAYOUT = {
  weft_active: { slot: 0, generation: 4, size: 8 },
  weft_enrolment: { cgroup: 0, size: 8 },
  weft_flow_key: { cookie: 0, remote: 8, port: 24, kind: 26, zero: 28, size: 32 },
  weft_flow: { peer: 0, port: 16, zero: 18, generation: 20, size: 24 },
  weft_socket: {
    cookie: 0,
    name: 8,
    endpoint: 24,
    name_port: 40,
    endpoint_port: 42,
    generation: 44,
    workload: 48,
    opened: 52,
    size: 56,
  },
  weft_event: {
    time: 0,
    now: 8,
    cookie: 16,
    cgroup: 24,
    audited: 32,
    shadow_allow: 40,
    shadow_deny: 48,
    source: 56,
    destination: 72,
    endpoint: 88,
    generation: 104,
    verdict: 108,
    reason: 112,
    site: 116,
    policy: 120,
    route: 124,
    route_site: 128,
    service: 132,
    cluster: 136,
    source_workload: 140,
    destination_workload: 144,
    random: 148,
    pick: 152,
    source_port: 156,
    destination_port: 158,
    endpoint_port: 160,
    protocol: 162,
    family: 163,
    hook: 164,
    zero: 165,
    size: 168,
  },
  weft_service_key: { address: 0, port: 16, protocol: 18, zero: 19, size: 20 },
  weft_service: { service: 0, cluster: 4, policies: 8, size: 16 },
  weft_cluster: { first: 0, count: 4, balance: 8, zero: 12, size: 16 },
  weft_endpoint: { address: 0, port: 16, zero: 18, workload: 20, size: 24 },
  weft_view: { predicates: 0, attributes: 8, size: 72 },
  weft_identity: {
    source: 0,
    destination: 72,
    policies: 144,
    address4: 152,
    address6: 168,
    size: 184,
  },
  weft_input: {
    source: 0,
    destination: 16,
    cgroup: 32,
    now: 40,
    workload: 48,
    random: 52,
    pick: 56,
    port: 60,
    protocol: 62,
    flags: 63,
    size: 64,
  },
  weft_result: {
    verdict: 0,
    reason: 4,
    site: 8,
    policy: 12,
    route: 16,
    route_site: 20,
    service: 24,
    cluster: 28,
    endpoint: 32,
    endpoint_port: 48,
    zero: 50,
    pick: 52,
    source: 56,
    destination: 60,
    audited: 64,
    shadow_allow: 72,
    shadow_deny: 80,
    size: 88,
  },
  weft_policy_packet: {
    mode: 0,
    route: 4,
    connection: 8,
    decision: 216,
    verdict: 256,
    zero: 260,
    size: 264,
  },
  weft_decide_packet: { input: 0, result: 64, size: 152 },
} as const;

/** "No workload", "no cluster", "no service". */
export const NONE = 0xffffffff;
/** Generations that stay loaded: slots of every `weft_slots_<hook>`. */
export const SLOTS = 4;

/** Hooks in the order of enum weft_hook; program `weft_<hook>`, stub `stub_<hook>`, array `weft_slots_<hook>`. */
export const HOOKS = [
  'connect4',
  'connect6',
  'sendmsg4',
  'sendmsg6',
  'recvmsg4',
  'recvmsg6',
  'getpeername4',
  'getpeername6',
  'sockops',
  'ingress',
] as const;
export type HookName = (typeof HOOKS)[number];

/** The stub without a slot: it needs no generation. */
export const SOCK_CREATE_STUB = 'stub_sock_create';

/** Maps that are made once on a node and reused by name in every object. */
export const NODE_MAPS = [
  'weft_active',
  'weft_enrolled',
  'weft_flows',
  'weft_sockets',
  'weft_events',
  'weft_losses',
  'weft_reasons',
  'weft_open',
] as const;

export const BALANCE = { 'round-robin': 0, random: 1 } as const;
export const FLOW_KIND = { sent: 1, name: 2, admitted: 3 } as const;
/** Index into weft_open. */
export const OPEN_COUNTER = { openedActive: 0, openedPassive: 1, closed: 2 } as const;
/** weft_input.flags: the pick is given. */
export const INPUT_PICK = 1;

type StructName = keyof typeof LAYOUT;

function struct(name: StructName): DataView {
  return new DataView(new ArrayBuffer(LAYOUT[name].size));
}
function bytes(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
function putAddress(view: DataView, at: number, address: Uint8Array): void {
  if (address.length !== ADDRESS_BYTES)
    throw new RangeError(`an address has ${ADDRESS_BYTES} bytes, not ${address.length}`);
  bytes(view).set(address, at);
}
const ADDRESS_BYTES = 16;

/** A u32, as array index, counter or program descriptor. */
export function encodeU32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return bytes(view);
}

/** A u64, as cgroup id or mask. */
export function encodeU64(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return bytes(view);
}

/** weft_active: one write of it activates a generation. */
export function encodeActive(slot: number, generation: number): Uint8Array {
  const view = struct('weft_active');
  view.setUint32(LAYOUT.weft_active.slot, slot, true);
  view.setUint32(LAYOUT.weft_active.generation, generation, true);
  return bytes(view);
}

/** What weft_active holds; generation 0: nothing was ever activated. */
export function decodeActive(value: Uint8Array): { slot: number; generation: number } {
  const view = viewOf(value);
  return {
    slot: view.getUint32(LAYOUT.weft_active.slot, true),
    generation: view.getUint32(LAYOUT.weft_active.generation, true),
  };
}

export interface ServiceKey {
  readonly address: Uint8Array;
  readonly port: number;
  readonly protocol: number; // 6 or 17
}
/** Key of weft_services. */
export function encodeServiceKey(key: ServiceKey): Uint8Array {
  const at = LAYOUT.weft_service_key;
  const view = struct('weft_service_key');
  putAddress(view, at.address, key.address);
  view.setUint16(at.port, key.port, true);
  view.setUint8(at.protocol, key.protocol);
  return bytes(view);
}

export interface ServiceValue {
  readonly service: number;
  readonly cluster: number;
  readonly policies: bigint;
}
/** Value of weft_services. */
export function encodeService(value: ServiceValue): Uint8Array {
  const at = LAYOUT.weft_service;
  const view = struct('weft_service');
  view.setUint32(at.service, value.service, true);
  view.setUint32(at.cluster, value.cluster, true);
  view.setBigUint64(at.policies, value.policies, true);
  return bytes(view);
}

/** Index of weft_clusters and weft_cursors. */
export function clusterIndex(cluster: number, family: 4 | 6): number {
  return cluster * 2 + (family === 6 ? 1 : 0);
}

export interface ClusterValue {
  readonly first: number;
  readonly count: number;
  readonly balance: keyof typeof BALANCE;
}
/** Value of weft_clusters. */
export function encodeCluster(value: ClusterValue): Uint8Array {
  const at = LAYOUT.weft_cluster;
  const view = struct('weft_cluster');
  view.setUint32(at.first, value.first, true);
  view.setUint32(at.count, value.count, true);
  view.setUint32(at.balance, BALANCE[value.balance], true);
  return bytes(view);
}

export interface EndpointValue {
  readonly address: Uint8Array;
  readonly port: number;
  readonly workload: number; // NONE where it is no known workload
}
/** Value of weft_endpoints. */
export function encodeEndpoint(value: EndpointValue): Uint8Array {
  const at = LAYOUT.weft_endpoint;
  const view = struct('weft_endpoint');
  putAddress(view, at.address, value.address);
  view.setUint16(at.port, value.port, true);
  view.setUint32(at.workload, value.workload, true);
  return bytes(view);
}

export interface IdentityView {
  readonly predicates: bigint;
  readonly attributes: readonly number[]; // symbols by slot, missing ones absent
}
export interface IdentityValue {
  readonly source: IdentityView;
  readonly destination: IdentityView;
  readonly policies: bigint;
  readonly address4: Uint8Array | null;
  readonly address6: Uint8Array | null;
}
function putView(view: DataView, at: number, value: IdentityView): void {
  if (value.attributes.length > ATTRIBUTE_SLOTS)
    throw new RangeError(`${value.attributes.length} attributes, ${ATTRIBUTE_SLOTS} slots`);
  view.setBigUint64(at + LAYOUT.weft_view.predicates, value.predicates, true);
  for (const [slot, symbol] of value.attributes.entries())
    view.setUint32(at + LAYOUT.weft_view.attributes + slot * 4, symbol, true);
}
/** Value of weft_identities. */
export function encodeIdentity(value: IdentityValue): Uint8Array {
  const at = LAYOUT.weft_identity;
  const view = struct('weft_identity');
  putView(view, at.source, value.source);
  putView(view, at.destination, value.destination);
  view.setBigUint64(at.policies, value.policies, true);
  if (value.address4) putAddress(view, at.address4, value.address4);
  if (value.address6) putAddress(view, at.address6, value.address6);
  return bytes(view);
}

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
  const view = viewOf(record, at.size);
  return {
    verdict: view.getUint32(at.verdict, true),
    reason: view.getUint32(at.reason, true),
    site: view.getUint32(at.site, true),
    policy: view.getUint32(at.policy, true),
    route: view.getUint32(at.route, true),
    routeSite: view.getUint32(at.route_site, true),
    service: view.getUint32(at.service, true),
    cluster: view.getUint32(at.cluster, true),
    endpoint: record.slice(at.endpoint, at.endpoint + ADDRESS_BYTES),
    endpointPort: view.getUint16(at.endpoint_port, true),
    pick: view.getUint32(at.pick, true),
    source: view.getUint32(at.source, true),
    destination: view.getUint32(at.destination, true),
    audited: view.getBigUint64(at.audited, true),
    shadowAllow: view.getBigUint64(at.shadow_allow, true),
    shadowDeny: view.getBigUint64(at.shadow_deny, true),
  };
}

/** One verdict, as a hook reported it. */
export interface KernelEvent {
  readonly time: bigint;
  readonly now: bigint;
  readonly cookie: bigint;
  readonly cgroup: bigint;
  readonly audited: bigint;
  readonly shadowAllow: bigint;
  readonly shadowDeny: bigint;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly endpoint: Uint8Array;
  readonly generation: number;
  readonly verdict: number;
  readonly reason: number;
  readonly site: number;
  readonly policy: number;
  readonly route: number;
  readonly routeSite: number;
  readonly service: number;
  readonly cluster: number;
  readonly sourceWorkload: number;
  readonly destinationWorkload: number;
  readonly random: number;
  readonly pick: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly endpointPort: number;
  readonly protocol: number;
  readonly family: number;
  readonly hook: HookName;
}

function viewOf(record: Uint8Array, size = 0): DataView {
  if (record.length < size) throw new RangeError(`record of ${record.length} bytes, want ${size}`);
  return new DataView(record.buffer, record.byteOffset, record.byteLength);
}

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

/** Sum of a per-CPU counter's value as the kernel returns it. */
export function sumCounter(value: Uint8Array): bigint {
  const view = viewOf(value);
  let sum = 0n;
  for (let at = 0; at + 8 <= value.length; at += 8) sum += view.getBigUint64(at, true);
  return sum;
}
