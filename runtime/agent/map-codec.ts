/** Keys and values of the data plane's maps as bytes. */
import { ATTRIBUTE_SLOTS, POLICY_WORDS, putPolicies } from '../../compiler/abi/index.js';
import { viewOf } from '../kernel/index.js';
import { bytes, putAddress, struct } from './struct-bytes.js';
import { BALANCE, LAYOUT } from './struct-layout.js';

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

/** struct weft_policy_set. */
export function encodePolicies(set: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * POLICY_WORDS));
  putPolicies(view, 0, set);
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

/** weft_enrolled: which cgroup it is; its workload is left to the programs. */
export function encodeEnrolment(cgroup: bigint): Uint8Array {
  const view = struct('weft_enrolment');
  view.setBigUint64(LAYOUT.weft_enrolment.cgroup, cgroup, true);
  return bytes(view);
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
  readonly flags?: number; // SERVICE_FLAG
}
/** Value of weft_services. */
export function encodeService(value: ServiceValue): Uint8Array {
  const at = LAYOUT.weft_service;
  const view = struct('weft_service');
  view.setUint32(at.service, value.service, true);
  view.setUint32(at.cluster, value.cluster, true);
  putPolicies(view, at.policies, value.policies);
  view.setUint32(at.flags, value.flags ?? 0, true);
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
  /** It is of this node. */
  readonly here: boolean;
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
  putPolicies(view, at.policies, value.policies);
  if (value.address4) putAddress(view, at.address4, value.address4);
  if (value.address6) putAddress(view, at.address6, value.address6);
  view.setUint32(at.here, value.here ? 1 : 0, true);
  return bytes(view);
}

/** Sum of a per-CPU counter's value as the kernel returns it. */
export function sumCounter(value: Uint8Array): bigint {
  const view = viewOf(value);
  let sum = 0n;
  for (let at = 0; at + 8 <= value.length; at += 8) sum += view.getBigUint64(at, true);
  return sum;
}
