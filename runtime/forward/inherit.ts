/**
 * Pooled connections that outlived the agent which opened them. The kernel went on with what it had lent;
 * what that agent had in its own hands nobody can go on with.
 */
import { closeSync } from 'node:fs';
import { viewOf } from '../kernel/index.js';
import { ByteQueue } from './byte-queue.js';
import type { DescriptorStore } from './descriptor-store.js';
import { decodePoolKey, FORWARD_LAYOUT, LEASE_STATE, type PoolKey, UPSTREAMS } from './layout.js';
import type { NodeWords } from './node-words.js';
import type { Upstream } from './upstream.js';

const PREFIX = 'upstream-';

/** The name of a pooled connection in the store. */
export function upstreamName(index: number): string {
  return `${PREFIX}${index}`;
}

/** Whose a record of weft_leases is. */
export interface LeaseOwner {
  readonly key: PoolKey;
  readonly slot: number;
  readonly cookie: bigint;
  readonly state: number;
}

export function decodeOwner(record: Uint8Array): LeaseOwner {
  const [view, at] = [viewOf(record), FORWARD_LAYOUT.weft_lease];
  return {
    key: decodePoolKey(record),
    slot: view.getUint32(at.slot, true),
    cookie: view.getBigUint64(at.cookie, true),
    state: view.getUint32(at.state, true),
  };
}

/** Can the next agent have it: is it idle, or lent by the kernel alone? */
function isKept(words: NodeWords, index: number, { key, slot, state }: LeaseOwner): boolean {
  if (state === LEASE_STATE.kernel || state === LEASE_STATE.answered) return true;
  if (state !== LEASE_STATE.free) return false;
  const word = words.pool(key)?.idle[slot >> 6] ?? 0n;
  if (((word >> BigInt(slot & 63)) & 1n) === 1n) return true;
  // The dead agent used it, or a client is just taking it: then it stays.
  return words.step({ step: 'retire', index }) === 0;
}

function adopted(words: NodeWords, fd: number, index: number, owner: LeaseOwner): Upstream {
  const socket = words.kernel.adoptStream(fd);
  const { key, slot, cookie } = owner;
  return { key, fd, cookie, queue: new ByteQueue(socket), index, slot, isOurs: false };
}

/**
 * Takes them out of the store; what is of no use is closed and forgotten. `given`: those that a living agent
 * hands over; it closes the others itself.
 */
export function inheritUpstreams(
  words: NodeWords,
  store: DescriptorStore,
  given: ReadonlySet<number> | null,
): readonly Upstream[] {
  return store.names.flatMap((name) => {
    if (!name.startsWith(PREFIX)) return [];
    const fd = store.take(name);
    if (fd === null) return [];
    const index = Number(name.slice(PREFIX.length));
    if (given !== null && !given.has(index)) {
      closeSync(fd);
      return [];
    }
    try {
      const owner = words.owner(index);
      const isSame = words.kernel.socketCookie(fd) === owner.cookie;
      if (isSame && isKept(words, index, owner)) return [adopted(words, fd, index, owner)];
    } catch {
      // No socket, or no upstream of that number.
    }
    closeSync(fd);
    store.forget(name);
    return [];
  });
}

/** Records of connections that another agent has. */
export function otherOwners(words: NodeWords, ours: ReadonlySet<number>): readonly LeaseOwner[] {
  return Array.from({ length: UPSTREAMS }, (_, index) => index).flatMap((index) => {
    if (ours.has(index)) return [];
    const owner = words.owner(index);
    return owner.cookie === 0n ? [] : [owner];
  });
}
