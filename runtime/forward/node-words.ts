/**
 * What the agent reads and writes in the kernel about exchanges: leases, pools, doors, and looks at
 * clients' sockets. Every call is one system call or few; nothing here waits.
 */
import {
  type InetName,
  type Kernel,
  type KernelMap,
  type KernelObject,
  type NetworkNamespace,
  type OpenedStream,
  viewOf,
} from '../kernel/index.js';
import type { DescriptorStore } from './descriptor-store.js';
import { decodeOwner, type LeaseOwner } from './inherit.js';
import {
  type ClientId,
  DOOR_WORDS,
  DOORS,
  decodeEnding,
  decodeHandover,
  decodeLease,
  decodePool,
  decodePoolKey,
  decodeProbe,
  emptyPool,
  encodeHandover,
  encodeLease,
  encodePoolKey,
  encodeProbe,
  encodeVoice,
  FORWARD_LAYOUT,
  FORWARD_MAPS,
  type Handover,
  type Lease,
  type Pool,
  type PoolKey,
  type Probe,
  UPSTREAMS,
} from './layout.js';
import { decodeAnswer, encodeOrder, type Order } from './order.js';
import { attachOwnHooks } from './own-hooks.js';

/** Of a door. */
export type NearEnd = Pick<OpenedStream, 'fd' | 'cookie'>;

export interface NodeWords extends Disposable {
  readonly kernel: Kernel;
  /** A client's socket; null where it is gone. */
  probe(client: ClientId): Probe | null;
  step(order: Order): number;
  lease(index: number): Lease;
  /** Whose an upstream's record is. */
  owner(index: number): LeaseOwner;
  pool(key: PoolKey): Pool | null;
  makePool(key: PoolKey): void;
  removePool(key: PoolKey): void;
  /** Registers a connection that nobody uses yet; not idle before `put`. */
  addUpstream(index: number, fd: number, cookie: bigint, key: PoolKey, slot: number): void;
  /** Forgets it; whatever exchange was under way is over. */
  removeUpstream(index: number, cookie: bigint): void;
  handover(door: number): Handover;
  /**
   * Forgets what a dead agent had: its pools, its leases, its doors, but for the upstreams that are
   * `kept`. Returns the clients who were in the middle of an exchange that nobody will finish.
   */
  reset(
    kept: ReadonlySet<number>,
  ): readonly { readonly client: ClientId; readonly cgroup: bigint }[];
  /** Nobody gets a door any more. */
  closeDoors(): void;
  /** Registers the near ends of these doors, which nobody has, and lets clients in. */
  takeDoors(near: ReadonlyMap<number, NearEnd>): void;
  /** Registers the near ends of all doors. */
  openDoors(near: readonly NearEnd[]): void;
  /** Puts bytes into a client's own receive queue by way of the agent's socket; how many were taken. */
  inject(fd: number, client: bigint, bytes: Uint8Array): number;
  /** The socket that speaks to clients. */
  addAgent(voice: OpenedStream): void;
  /** Connections that a refusal of the kernel's said to be over. */
  endings(): readonly { readonly client: ClientId; readonly cgroup: bigint }[];
  forgetEnding(cookie: bigint): void;
  /** Before a socket of ours connects to an endpoint, and after: what it sends was judged. */
  vouch(cookie: bigint): void;
  unvouch(cookie: bigint): void;
  /** Ends a client's connection; false where it was gone. */
  destroy(namespace: NetworkNamespace, client: bigint, local: InetName, remote: InetName): boolean;
}

function u32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return new Uint8Array(view.buffer);
}

function u64(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value, true);
  return new Uint8Array(view.buffer);
}

const ALL_IDLE = (1n << 64n) - 1n;

/**
 * Loads the agent's programs onto the node's maps, and attaches those that its own cgroup has.
 * Throws KernelError and VerifierError; then nothing is left.
 */
export function openNodeWords(
  kernel: Kernel,
  object: Uint8Array,
  map: (name: string) => KernelMap,
  own: { readonly cgroup: string; readonly store: DescriptorStore },
): NodeWords {
  const reuse = Object.fromEntries(FORWARD_MAPS.map((name) => [name, map(name)] as const));
  const programs: KernelObject = kernel.load({ name: 'agent', bytes: object, reuse });
  const vouched = programs.map('weft_vouched');
  let hooks: Disposable;
  try {
    hooks = attachOwnHooks(kernel, programs, own);
  } catch (error) {
    programs[Symbol.dispose]();
    throw error;
  }
  const of = (name: (typeof FORWARD_MAPS)[number]): KernelMap => {
    const found = reuse[name];
    if (found === undefined) throw new RangeError(name);
    return found;
  };
  const value = (found: Uint8Array | null): Uint8Array => {
    if (found === null) throw new RangeError('no element of an array');
    return found;
  };
  const probing = programs.program('agent_probe');
  const stepping = programs.program('agent_step');
  const step = (order: Order): number =>
    decodeAnswer(stepping.testRun(encodeOrder(order)).contextOut);
  const handover = (door: number): Handover =>
    decodeHandover(value(of('weft_handovers').lookup(u32(door))));
  const register = (door: number, { fd, cookie }: NearEnd): void => {
    const lending = (handover(door).lending + 1) >>> 0;
    of('weft_handovers').update(u32(door), encodeHandover(lending, cookie));
    of('weft_doors').update(u32(door), u64(BigInt(fd)));
  };
  let voice: Uint8Array | null = null;
  const removeUpstream = (index: number, cookie: bigint): void => {
    step({ step: 'drop', index });
    of('weft_upstreams').delete(u32(index));
    of('weft_upstream_index').delete(u64(cookie));
  };
  return {
    kernel,
    probe: (client) => decodeProbe(probing.testRun(encodeProbe(client)).contextOut),
    step,
    lease: (index) => decodeLease(value(of('weft_leases').lookup(u32(index)))),
    owner: (index) => decodeOwner(value(of('weft_leases').lookup(u32(index)))),
    pool: (key) => {
      const found = of('weft_pools').lookup(encodePoolKey(key));
      return found === null ? null : decodePool(found);
    },
    makePool: (key) => of('weft_pools').update(encodePoolKey(key), emptyPool(), 'new'),
    removePool: (key) => {
      of('weft_pools').delete(encodePoolKey(key));
    },
    addUpstream: (index, fd, cookie, key, slot) => {
      of('weft_leases').update(u32(index), encodeLease(key, slot, cookie));
      step({ step: 'slot', pool: key, index, slot });
      of('weft_upstream_index').update(u64(cookie), u32(index));
      try {
        of('weft_upstreams').update(u32(index), u64(BigInt(fd)));
        kernel.iterateMap(programs.program('agent_note_upstreams'), of('weft_upstreams'));
      } catch (error) {
        removeUpstream(index, cookie);
        throw error;
      }
    },
    removeUpstream,
    handover,
    takeDoors: (near) => {
      for (const [door, end] of near) register(door, end);
      kernel.iterateMap(programs.program('agent_note_doors'), of('weft_doors'));
      for (const index of near.keys()) step({ step: 'offer', index });
    },
    openDoors: (near) => {
      near.forEach((end, door) => {
        register(door, end);
      });
      kernel.iterateMap(programs.program('agent_note_doors'), of('weft_doors'));
      for (let word = 0; word < DOOR_WORDS; word++) {
        const count = Math.min(Math.max(near.length - word * 64, 0), 64);
        const bits = count === 64 ? ALL_IDLE : (1n << BigInt(count)) - 1n;
        of('weft_door_idle').update(u32(word), u64(bits));
      }
    },
    reset: (kept) => {
      const lost: { client: ClientId; cgroup: bigint }[] = [];
      const pools = new Set<string>();
      const poolText = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
      for (let index = 0; index < UPSTREAMS; index++) {
        const record = value(of('weft_leases').lookup(u32(index)));
        const key = record.subarray(0, FORWARD_LAYOUT.weft_pool_key.size);
        if (kept.has(index)) {
          pools.add(poolText(key));
          continue;
        }
        if (record.every((byte) => byte === 0)) continue;
        // In a pool that stays its slot is idle no more.
        step({ step: 'claim', pool: decodePoolKey(record), index });
        const { isUnfinished, client } = decodeLease(record);
        if (isUnfinished) lost.push({ client, cgroup: decodePoolKey(record).cgroup });
        of('weft_leases').update(u32(index), new Uint8Array(record.length));
        of('weft_upstreams').delete(u32(index));
      }
      for (const key of of('weft_pools').keys())
        if (!pools.has(poolText(key))) of('weft_pools').delete(key);
      for (const cookie of of('weft_upstream_index').keys()) {
        const index = of('weft_upstream_index').lookup(cookie);
        if (index !== null && !kept.has(viewOf(index).getUint32(0, true)))
          of('weft_upstream_index').delete(cookie);
      }
      for (let door = 0; door < DOORS; door++) {
        const { client, cgroup, handed } = handover(door);
        if (handed > 0) lost.push({ client, cgroup });
      }
      return lost;
    },
    closeDoors: () => {
      for (let word = 0; word < DOOR_WORDS; word++) {
        of('weft_door_idle').update(u32(word), u64(0n));
      }
    },
    endings: () =>
      of('weft_endings')
        .keys()
        .flatMap((key) => {
          const ending = of('weft_endings').lookup(key);
          return ending === null ? [] : [decodeEnding(key, ending)];
        }),
    forgetEnding: (cookie) => {
      of('weft_endings').delete(u64(cookie));
    },
    vouch: (cookie) => vouched.update(u64(cookie), u32(1)),
    unvouch: (cookie) => {
      vouched.delete(u64(cookie));
    },
    addAgent: ({ fd, socket }) => {
      voice = encodeVoice(socket.localPort ?? 0, socket.remotePort ?? 0);
      // The place of one that is about to leave, or of none.
      const taken = of('weft_agents')
        .keys()
        .map((key) => viewOf(key).getUint32(0, true));
      of('weft_agents').update(u32(taken.includes(0) ? 1 : 0), u64(BigInt(fd)));
    },
    inject: (fd, client, bytes) => {
      if (voice === null) throw new RangeError('no socket speaks to clients');
      of('weft_agent_client').update(voice, u64(client));
      return kernel.sendNow(fd, bytes);
    },
    destroy: (namespace, client, local, remote) =>
      kernel.destroySocket(namespace, { local, remote, cookie: client }),
    [Symbol.dispose]: () => {
      if (voice !== null) of('weft_agent_client').delete(voice);
      hooks[Symbol.dispose]();
      programs[Symbol.dispose]();
    },
  };
}
