/**
 * Byte layouts of what the agent and the kernel share about exchanges in the agent's hands: the twin
 * of bpf/request/lease.h, door.h and bpf/agent.bpf.c, compared by test/unit/layout through BTF.
 */
import { ASKED, REPLY } from '../../compiler/abi/index.js';
import { viewOf } from '../kernel/index.js';

export const FORWARD_LAYOUT = {
  weft_pool_key: { cgroup: 0, endpoint: 8, zero: 28, size: 32 },
  weft_pool: { idle: 0, misses: 32, slots: 40, size: 552 },
  weft_lease: {
    pool: 0,
    cookie: 32,
    socket: 40,
    client: 48,
    client_socket: 56,
    request: 64,
    forwarded: 72,
    slot: 80,
    state: 84,
    first: 88,
    taken: 92,
    asked: 96,
    reply: 112,
    size: 176,
  },
  weft_handover: {
    turn: 0,
    client: 8,
    client_socket: 16,
    cgroup: 24,
    near: 32,
    socket: 40,
    name: 48,
    endpoint: 68,
    chosen: 88,
    reason: 108,
    generation: 112,
    cluster: 116,
    asked: 120,
    answered: 124,
    lease: 128,
    first: 132,
    bound: 136,
    verdict: 140,
    site: 144,
    random: 148,
    pick: 152,
    expected: 156,
    size: 160,
  },
  weft_voice: { local_port: 0, remote_port: 4, size: 8 },
  weft_ending: { socket: 0, cgroup: 8, size: 16 },
  weft_probe: {
    cookie: 0,
    socket: 8,
    namespace: 16,
    local: 24,
    remote: 44,
    unread: 64,
    memory: 68,
    redirects: 72,
    state: 76,
    inode: 80,
    unsent: 88,
    received: 92,
    size: 96,
  },
  weft_order: {
    pool: 0,
    step: 32,
    index: 36,
    slot: 40,
    lending: 44,
    bytes: 48,
    answer: 52,
    size: 56,
  },
} as const;

export const UPSTREAMS = 4096;
export const POOL_SLOTS = 256;
export const DOORS = 256;
const WORD_BITS = 64;
export const DOOR_WORDS: number = DOORS / WORD_BITS;

/** enum weft_lease_state. */
export const LEASE_STATE = { free: 0, kernel: 1, agent: 2, gone: 3, answered: 4 } as const;
/** enum weft_handover_reason. */
export const HANDOVER_REASON = { pool: 1, order: 2, route: 3, message: 4, protocol: 5 } as const;
export type HandoverReason = keyof typeof HANDOVER_REASON;

/** Maps of the node that the agent's own programs use. */
export const FORWARD_MAPS = [
  'weft_clients',
  'weft_pools',
  'weft_leases',
  'weft_upstreams',
  'weft_upstream_index',
  'weft_reply_works',
  'weft_handovers',
  'weft_doors',
  'weft_door_idle',
  'weft_agents',
  'weft_agent_client',
  'weft_reasons',
  'weft_proofs',
  'weft_endings',
] as const;

/** 16 address bytes (IPv4 as ::ffff:a.b.c.d) and a port. */
export interface Name {
  readonly address: Uint8Array;
  readonly port: number;
}

/** Whose pooled connections, and to where. */
export interface PoolKey {
  readonly cgroup: bigint;
  readonly endpoint: Name;
}

export interface Pool {
  readonly idle: readonly bigint[];
  readonly misses: bigint;
}

/** A client's socket: its cookie, and where it lies in the kernel. */
export interface ClientId {
  readonly cookie: bigint;
  readonly socket: bigint;
}

export interface Lease {
  readonly client: ClientId;
  readonly forwarded: bigint;
  readonly state: number;
  /** An exchange of the client's is under way. */
  readonly isOpen: boolean;
  /** The same, or the rest of an answered request is still to come. */
  readonly isUnfinished: boolean;
  /** Structs weft_asked and weft_reply. */
  readonly asked: Uint8Array;
  readonly reply: Uint8Array;
}

export interface Handover {
  readonly lending: number;
  readonly handed: number;
  readonly client: ClientId;
  readonly cgroup: bigint;
  readonly name: Name;
  readonly endpoint: Name;
  readonly chosen: Name;
  readonly reason: number;
  readonly generation: number;
  readonly cluster: number;
  readonly asked: number;
  readonly answered: number;
  /** TCP's number behind the replies that are counted. */
  readonly expected: number;
  /** Upstream whose reply comes before, or -1. */
  readonly lease: number;
  /** Cluster of its own connection, in `generation`. */
  readonly bound: number;
  /** What the kernel counted and reported of the first request, and its draws; null: it was not judged. */
  readonly told: Told | null;
}

/** A verdict of the kernel on a request that the agent decides again, alike. */
export interface Told {
  readonly verdict: number;
  readonly site: number;
  readonly random: number;
  readonly pick: number;
}

/** A client's socket as it is now. */
export interface Probe {
  readonly namespace: bigint;
  readonly local: Name;
  readonly remote: Name;
  readonly unread: number;
  readonly memory: number;
  readonly redirects: number;
  /** Of its file; 0 where no process has it any more. */
  readonly inode: bigint;
  /** Bytes that TCP holds back. */
  readonly unsent: number;
  /** TCP's number of the next byte that comes. */
  readonly received: number;
  /** It has said that it sends nothing more. */
  readonly isShut: boolean;
}

const ADDRESS_BYTES = 16;

function putName(view: DataView, at: number, { address, port }: Name): void {
  new Uint8Array(view.buffer, view.byteOffset).set(address, at);
  view.setUint16(at + ADDRESS_BYTES, port, true);
}

function nameAt(bytes: Uint8Array, at: number): Name {
  return {
    address: bytes.slice(at, at + ADDRESS_BYTES),
    port: viewOf(bytes).getUint16(at + ADDRESS_BYTES, true),
  };
}

/** Key of weft_pools. */
export function encodePoolKey({ cgroup, endpoint }: PoolKey): Uint8Array {
  const view = new DataView(new ArrayBuffer(FORWARD_LAYOUT.weft_pool_key.size));
  view.setBigUint64(FORWARD_LAYOUT.weft_pool_key.cgroup, cgroup, true);
  putName(view, FORWARD_LAYOUT.weft_pool_key.endpoint, endpoint);
  return new Uint8Array(view.buffer);
}

/** Reads a key of weft_pools. */
export function decodePoolKey(bytes: Uint8Array): PoolKey {
  const at = FORWARD_LAYOUT.weft_pool_key;
  return {
    cgroup: viewOf(bytes).getBigUint64(at.cgroup, true),
    endpoint: nameAt(bytes, at.endpoint),
  };
}

/** Value of weft_pools, all its slots taken. */
export function emptyPool(): Uint8Array {
  return new Uint8Array(FORWARD_LAYOUT.weft_pool.size);
}

export function decodePool(bytes: Uint8Array): Pool {
  const view = viewOf(bytes);
  const at = FORWARD_LAYOUT.weft_pool;
  return {
    idle: [0, 8, 16, 24].map((word) => view.getBigUint64(at.idle + word, true)),
    misses: view.getBigUint64(at.misses, true),
  };
}

/** Value of weft_leases of a connection that nobody uses. */
export function encodeLease(key: PoolKey, slot: number, cookie: bigint): Uint8Array {
  const at = FORWARD_LAYOUT.weft_lease;
  const view = new DataView(new ArrayBuffer(at.size));
  new Uint8Array(view.buffer).set(encodePoolKey(key), at.pool);
  view.setBigUint64(at.cookie, cookie, true);
  view.setUint32(at.slot, slot, true);
  return new Uint8Array(view.buffer);
}

export function decodeLease(bytes: Uint8Array): Lease {
  const view = viewOf(bytes);
  const at = FORWARD_LAYOUT.weft_lease;
  const state = view.getUint32(at.state, true);
  const isOpen = state === LEASE_STATE.kernel || state === LEASE_STATE.agent;
  return {
    client: clientAt(view, at),
    forwarded: view.getBigUint64(at.forwarded, true),
    state,
    isOpen,
    isUnfinished: isOpen || state === LEASE_STATE.answered,
    asked: bytes.slice(at.asked, at.asked + ASKED.size),
    reply: bytes.slice(at.reply, at.reply + REPLY.size),
  };
}

/** Value of weft_handovers of a door that nobody has: the next lending's number, and the near end. */
export function encodeHandover(lending: number, near: bigint): Uint8Array {
  const at = FORWARD_LAYOUT.weft_handover;
  const view = new DataView(new ArrayBuffer(at.size));
  view.setUint32(at.turn + 4, lending, true);
  view.setBigUint64(at.near, near, true);
  return new Uint8Array(view.buffer);
}

export function decodeHandover(bytes: Uint8Array): Handover {
  const view = viewOf(bytes);
  const at = FORWARD_LAYOUT.weft_handover;
  const u32 = (offset: number): number => view.getUint32(offset, true);
  return {
    lending: u32(at.turn + 4),
    handed: u32(at.turn),
    client: clientAt(view, at),
    cgroup: view.getBigUint64(at.cgroup, true),
    name: nameAt(bytes, at.name),
    endpoint: nameAt(bytes, at.endpoint),
    chosen: nameAt(bytes, at.chosen),
    reason: u32(at.reason),
    generation: u32(at.generation),
    cluster: u32(at.cluster),
    asked: u32(at.asked),
    answered: u32(at.answered),
    expected: u32(at.expected),
    lease: u32(at.lease) - 1,
    bound: u32(at.bound),
    told: toldAt(view),
  };
}

/** What was told of a client's first request. */
function toldAt(view: DataView): Told | null {
  const at = FORWARD_LAYOUT.weft_handover;
  const verdict = view.getUint32(at.verdict, true);
  if (verdict === 0) return null;
  return {
    verdict,
    site: view.getUint32(at.site, true),
    random: view.getUint32(at.random, true),
    pick: view.getUint32(at.pick, true),
  };
}

function clientAt(
  view: DataView,
  at: { readonly client: number; readonly client_socket: number },
): ClientId {
  return {
    cookie: view.getBigUint64(at.client, true),
    socket: view.getBigUint64(at.client_socket, true),
  };
}

/** Key of weft_agent_client: the ports of an agent's socket that speaks to clients. */
export function encodeVoice(local: number, remote: number): Uint8Array {
  const at = FORWARD_LAYOUT.weft_voice;
  const view = new DataView(new ArrayBuffer(at.size));
  view.setUint32(at.local_port, local, true);
  view.setUint32(at.remote_port, remote, true);
  return new Uint8Array(view.buffer);
}

/** Key and value of weft_endings. */
export function decodeEnding(
  key: Uint8Array,
  value: Uint8Array,
): { readonly client: ClientId; readonly cgroup: bigint } {
  const [cookie, view] = [viewOf(key).getBigUint64(0, true), viewOf(value)];
  const at = FORWARD_LAYOUT.weft_ending;
  const socket = view.getBigUint64(at.socket, true);
  return { client: { cookie, socket }, cgroup: view.getBigUint64(at.cgroup, true) };
}

/** Argument of agent_probe. */
export function encodeProbe({ cookie, socket }: ClientId): Uint8Array {
  const view = new DataView(new ArrayBuffer(FORWARD_LAYOUT.weft_probe.size));
  view.setBigUint64(FORWARD_LAYOUT.weft_probe.cookie, cookie, true);
  view.setBigUint64(FORWARD_LAYOUT.weft_probe.socket, socket, true);
  return new Uint8Array(view.buffer);
}

/**
 * TCP states (net/tcp_states.h): in these nothing can be read; in those its number counts the peer's
 * FIN; in the last it has sent its own.
 */
const GONE: ReadonlySet<number> = new Set([6, 7]);
const CLOSING: ReadonlySet<number> = new Set([8, 9, 11]);
const SHUT: ReadonlySet<number> = new Set([4, 5, 9, 11]);

/** What agent_probe found; null where the client is gone. */
export function decodeProbe(bytes: Uint8Array): Probe | null {
  const view = viewOf(bytes);
  const at = FORWARD_LAYOUT.weft_probe;
  const namespace = view.getBigUint64(at.namespace, true);
  const state = view.getUint32(at.state, true);
  if (namespace === 0n || GONE.has(state)) return null;
  return {
    namespace,
    local: nameAt(bytes, at.local),
    remote: nameAt(bytes, at.remote),
    unread: view.getUint32(at.unread, true) - (CLOSING.has(state) ? 1 : 0),
    memory: view.getUint32(at.memory, true),
    redirects: view.getUint32(at.redirects, true),
    inode: view.getBigUint64(at.inode, true),
    unsent: view.getUint32(at.unsent, true),
    received: view.getUint32(at.received, true),
    isShut: SHUT.has(state),
  };
}
