/**
 * The pools of this node: which connections they have, who gets one, when one goes. A pool grows by
 * those that found none and opened one themselves; what was idle all through a while is closed.
 */
import type { NetworkNamespace } from '../kernel/index.js';
import type { DescriptorStore } from './descriptor-store.js';
import { type LeaseOwner, upstreamName } from './inherit.js';
import { encodePoolKey, type Name, POOL_SLOTS, type PoolKey, UPSTREAMS } from './layout.js';
import type { NodeWords } from './node-words.js';
import { connectUpstream, isReusable, type Upstream } from './upstream.js';

/** For so many sweeps a connection must not have been needed. */
const IDLE_SWEEPS = 60;

export interface PoolsOptions {
  readonly words: NodeWords;
  /** Where pooled connections outlive this process. */
  readonly store: DescriptorStore;
  /** Those that did. */
  readonly inherited: readonly Upstream[];
  /** Those that the agent before has still, while it hands over: their slots are not free. */
  readonly others: readonly Pick<LeaseOwner, 'key' | 'slot'>[];
  /** The namespace of a workload's processes by its cgroup; throws where it runs nowhere. */
  readonly namespaceOf: (cgroup: bigint, inode: bigint) => NetworkNamespace;
  /** An upstream that the kernel has, or that is idle, said or did something. */
  readonly onActivity: (upstream: Upstream) => void;
  /** A connection was begun (null), or why not; what its endpoint answers is another matter. */
  readonly onOpened: (error: unknown) => void;
}

interface PoolState {
  readonly key: PoolKey;
  readonly slots: (Upstream | null)[];
  /** The fewest idle ones since the count began, and for how many sweeps. */
  fewestIdle: number;
  sweeps: number;
}

export interface PoolStatus {
  readonly key: PoolKey;
  readonly size: number;
  readonly idle: number;
  readonly misses: bigint;
}

function countBits(words: readonly bigint[]): number {
  let count = 0;
  for (let word of words) for (; word !== 0n; word &= word - 1n) count += 1;
  return count;
}

export class Pools {
  readonly #options: PoolsOptions;
  readonly #pools = new Map<string, PoolState>();
  readonly #upstreams: (Upstream | null)[] = new Array<Upstream | null>(UPSTREAMS).fill(null);
  #next = 0;
  /** Records of connections that another agent has still, as `pool slot`; its own from the start on. */
  readonly #others = new Set<string>();
  #isFrozen = false;
  #isRetired = false;

  constructor(options: PoolsOptions) {
    this.#options = options;
    for (const { key, slot } of options.others) this.#others.add(`${poolText(key)} ${slot}`);
    for (const upstream of options.inherited) {
      const pool = this.#stateOf(upstream.key);
      if (upstream.index === null) continue;
      pool.slots[upstream.slot] = upstream;
      this.#upstreams[upstream.index] = upstream;
      upstream.queue.onActivity = () => this.#options.onActivity(upstream);
    }
  }

  /** The pooled connection of that number. */
  at(index: number): Upstream | null {
    return this.#upstreams[index] ?? null;
  }

  /** A connection for the agent's own use: an idle one, else a new one; null where there is no way. */
  async take(key: PoolKey, from: Name, namespace: bigint): Promise<Upstream | null> {
    const { words } = this.#options;
    while (!this.#isRetired) {
      const index = words.step({ step: 'take', pool: key }) - 1;
      if (index < 0) break;
      const upstream = this.at(index);
      if (upstream === null) continue;
      upstream.isOurs = true;
      if (isReusable(upstream)) return upstream;
      this.discard(upstream);
    }
    try {
      using inside = this.#options.namespaceOf(key.cgroup, namespace);
      const upstream = await connectUpstream(words, inside, from, key);
      this.#options.onOpened(null);
      return upstream;
    } catch (error) {
      this.#options.onOpened(error);
      return null; // the address or the namespace has gone
    }
  }

  /** Gives a connection back after a whole exchange; one that can have no other is closed. */
  give(upstream: Upstream): void {
    const isMember = upstream.index !== null || (!this.#isFrozen && this.#add(upstream));
    if (!isReusable(upstream) || !isMember || this.#isRetired) {
      this.discard(upstream);
      return;
    }
    upstream.isOurs = false;
    this.#options.words.step({ step: 'put', index: upstream.index ?? 0 });
  }

  /** Closes a connection that nobody else has, and forgets it. */
  discard(upstream: Upstream): void {
    const { index, slot, queue, cookie, key } = upstream;
    queue.onActivity = () => {};
    if (index === null || this.#upstreams[index] !== upstream) {
      queue.socket.destroy();
      return;
    }
    // First: once its record is empty another agent may use the number.
    this.#options.store.forget(upstreamName(index));
    this.#options.words.removeUpstream(index, cookie);
    queue.socket.destroy();
    this.#upstreams[index] = null;
    const pool = this.#pools.get(poolText(key));
    if (pool !== undefined) pool.slots[slot] = null;
  }

  /** True where the kernel may take it. */
  isIdle({ key, slot }: Upstream): boolean {
    const word = this.#options.words.pool(key)?.idle[slot >> 6] ?? 0n;
    return ((word >> BigInt(slot & 63)) & 1n) === 1n;
  }

  /** Takes an upstream from the kernel; false where a client has it. */
  claim(upstream: Upstream): boolean {
    const { index, key } = upstream;
    if (index === null) return true;
    if (this.#options.words.step({ step: 'claim', pool: key, index }) === 0) return false;
    upstream.isOurs = true;
    return true;
  }

  /** As `claim`, also where the kernel was just taking it: false once a client's exchange is under way. */
  retire(upstream: Upstream): boolean {
    if (this.claim(upstream)) return true;
    const index = upstream.index ?? 0;
    if (this.#options.words.step({ step: 'retire', index }) === 0) return false;
    upstream.isOurs = true;
    return true;
  }

  /** Closes what was not needed, and what leads nowhere any more. */
  sweep(isWanted: (key: PoolKey) => boolean): void {
    for (const [text, pool] of this.#pools) {
      const members = pool.slots.filter((one): one is Upstream => one !== null);
      const state = this.#options.words.pool(pool.key);
      const idle = state === null ? 0 : countBits(state.idle);
      const wanted = isWanted(pool.key);
      pool.fewestIdle = Math.min(pool.fewestIdle, idle);
      pool.sweeps += 1;
      const isDue = pool.sweeps >= IDLE_SWEEPS;
      let surplus = wanted ? (isDue ? pool.fewestIdle : 0) : members.length;
      for (const upstream of members) {
        if (surplus === 0) break;
        if (upstream.isOurs || !this.claim(upstream)) continue;
        this.discard(upstream);
        surplus -= 1;
      }
      if (isDue) Object.assign(pool, { fewestIdle: POOL_SLOTS, sweeps: 0 });
      if (pool.slots.every((one) => one === null) && (!wanted || isDue)) {
        this.#options.words.removePool(pool.key);
        this.#pools.delete(text);
      }
    }
  }

  status(): readonly PoolStatus[] {
    return [...this.#pools.values()].map(({ key, slots }) => {
      const state = this.#options.words.pool(key);
      return {
        key,
        size: slots.filter((one) => one !== null).length,
        idle: state === null ? 0 : countBits(state.idle),
        misses: state?.misses ?? 0n,
      };
    });
  }

  /** From now on no connection joins a pool. */
  freeze(frozen: boolean): void {
    this.#isFrozen = frozen;
  }

  /**
   * Leaves the pools to another agent that has copies of these connections: which it takes over. What this
   * one uses itself, and where something has come that it has read, stays here and is closed at its end.
   */
  leave(copied: ReadonlySet<number>): readonly number[] {
    this.#isRetired = true;
    return [...this.members()].flatMap((upstream) => {
      const { index, isOurs, queue } = upstream;
      if (index === null || isOurs || !copied.has(index)) return [];
      if (queue.bytes.length > 0 || queue.ended) return [];
      queue.onActivity = () => {};
      queue.socket.destroy();
      this.#upstreams[index] = null;
      const pool = this.#pools.get(poolText(upstream.key));
      if (pool !== undefined) pool.slots[upstream.slot] = null;
      return [index];
    });
  }

  /** Closes everything; what a store keeps goes on for the next agent instead, but for what this one used itself. */
  close(): void {
    if (this.#options.store.isThere && !this.#isRetired) {
      for (const upstream of this.members()) {
        if (upstream.isOurs) this.discard(upstream);
        else upstream.queue.socket.destroy();
      }
      return;
    }
    for (const upstream of this.#upstreams) if (upstream !== null) this.discard(upstream);
    if (this.#isRetired) return;
    for (const { key } of this.#pools.values()) this.#options.words.removePool(key);
    this.#pools.clear();
  }

  /** There is no pool: nobody was ever sent elsewhere, or not for long. */
  get isEmpty(): boolean {
    return this.#pools.size === 0;
  }

  /** All pooled connections. */
  *members(): Generator<Upstream> {
    for (const upstream of this.#upstreams) if (upstream !== null) yield upstream;
  }

  #poolOf(key: PoolKey): PoolState | null {
    const known = this.#pools.get(poolText(key));
    if (known !== undefined) return known;
    try {
      this.#options.words.makePool(key);
    } catch {
      return null; // the node has as many as it can
    }
    return this.#stateOf(key);
  }

  #stateOf(key: PoolKey): PoolState {
    const known = this.#pools.get(poolText(key));
    if (known !== undefined) return known;
    const slots = new Array<Upstream | null>(POOL_SLOTS).fill(null);
    const pool = { key, slots, fewestIdle: POOL_SLOTS, sweeps: 0 };
    this.#pools.set(poolText(key), pool);
    return pool;
  }

  #add(upstream: Upstream): boolean {
    const pool = this.#poolOf(upstream.key);
    const isFree = (one: Upstream | null, slot: number): boolean =>
      one === null && !this.#others.has(`${poolText(upstream.key)} ${slot}`);
    const slot = pool?.slots.findIndex(isFree) ?? -1;
    const index = this.#freeIndex();
    if (pool === null || slot < 0 || index === null) return false;
    try {
      this.#options.words.addUpstream(index, upstream.fd, upstream.cookie, upstream.key, slot);
    } catch {
      return false; // it has just closed
    }
    pool.slots[slot] = upstream;
    this.#upstreams[index] = upstream;
    Object.assign(upstream, { index, slot });
    upstream.queue.onActivity = () => this.#options.onActivity(upstream);
    // Before it is idle for the first time: what the kernel lends is kept.
    this.#options.store.keep(upstreamName(index), upstream.fd);
    return true;
  }

  #freeIndex(): number | null {
    for (let tried = 0; tried < UPSTREAMS; tried++) {
      const index = this.#next;
      this.#next = (this.#next + 1) % UPSTREAMS;
      // Where two agents are, the other's record says that it has this one.
      if (this.#upstreams[index] === null && this.#options.words.owner(index).cookie === 0n)
        return index;
    }
    return null;
  }
}

function poolText(key: PoolKey): string {
  return Buffer.from(encodePoolKey(key)).toString('latin1');
}
