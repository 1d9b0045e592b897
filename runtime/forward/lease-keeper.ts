/**
 * Pooled connections that the kernel has lent: what it leaves to the agent (long replies, those that
 * only an end ends) goes on here; a connection that dies takes its client's exchange with it, with a
 * reply where none had begun, else by ending the client's connection, which would wait for ever.
 */
import { ASKED_KIND } from '../../compiler/abi/index.js';
import type { Framing } from '../http/index.js';
import { type ClientStream, clientStream } from './client-stream.js';
import { type Ender, endClient } from './end-client.js';
import { LEASE_STATE, type Lease } from './layout.js';
import type { Pools } from './pools.js';
import { pumpReply } from './reply-pump.js';
import type { SessionWorld } from './session.js';
import type { Upstream } from './upstream.js';

/** Sweeps after which a connection that nobody has and that is not idle is useless. */
const STRANGE_SWEEPS = 5;
/** The same of one whose client has gone or sends no more, found twice, since it may be lent meanwhile. */
const LOST_SWEEPS = 2;

/** Was it asked for without a body? The kinds of the one request stand lowest. */
function isHead({ asked }: Lease): boolean {
  return ((asked[0] ?? 0) & ASKED_KIND.head) !== 0;
}

export interface LeaseWorld
  extends Pick<
    SessionWorld,
    'words' | 'agent' | 'unavailable' | 'fault' | 'isClosed' | keyof Ender
  > {
  readonly framing: Framing;
  readonly pools: Pools;
}

export class LeaseKeeper {
  readonly #world: LeaseWorld;
  readonly #streams = new Map<Upstream, ClientStream>();
  readonly #strange = new Map<Upstream, number>();

  constructor(world: LeaseWorld) {
    this.#world = world;
  }

  /** Replies that are being forwarded. */
  get active(): number {
    return this.#streams.size;
  }

  /** Something came from a connection that the agent does not use, or it ended. */
  onActivity(upstream: Upstream): void {
    if (upstream.isOurs || upstream.index === null) return;
    void this.#take(upstream, upstream.index).catch((error) => this.#giveUp(upstream, error));
  }

  async #take(upstream: Upstream, index: number): Promise<void> {
    const { words, pools } = this.#world;
    const lease = words.lease(index);
    if (lease.state === LEASE_STATE.agent) await this.#forward(upstream, lease);
    else if (lease.state === LEASE_STATE.kernel) await this.#fail(upstream, lease);
    else if (pools.retire(upstream)) pools.discard(upstream);
    else this.onActivity(upstream); // a client was just taking it, and has it now
  }

  /** A fault of ours ends the exchange: the client's connection, since nobody knows what it was sent. */
  #giveUp(upstream: Upstream, error: unknown): void {
    const { fault, destroy, isClosed, pools } = this.#world;
    if (isClosed()) return;
    const client = this.#streams.get(upstream);
    this.#streams.delete(upstream);
    fault(error);
    if (client !== undefined) destroy(client.client, upstream.key.cgroup);
    try {
      pools.discard(upstream);
    } catch (another) {
      fault(another);
    }
  }

  #streamOf(upstream: Upstream, lease: Lease): ClientStream {
    const { words, agent } = this.#world;
    upstream.isOurs = true;
    const client = clientStream(words, agent, lease.client, null);
    this.#streams.set(upstream, client);
    return client;
  }

  async #forward(upstream: Upstream, lease: Lease): Promise<void> {
    const { pools, framing, unavailable } = this.#world;
    const client = this.#streamOf(upstream, lease);
    const end = await pumpReply({
      queue: upstream.queue,
      framer: framing.openReplyFramer(lease),
      client,
      begun: lease.forwarded > 0n,
    });
    if (end === 'nothing') await client.write(unavailable(isHead(lease)));
    await client.flushed();
    if (end === 'cut' || end === 'ends') await this.#end(upstream, client);
    this.#streams.delete(upstream);
    if (end === 'whole') pools.give(upstream);
    else pools.discard(upstream);
  }

  /** Ends the client's connection as the upstream's ended. */
  async #end({ queue, key }: Upstream, client: ClientStream): Promise<void> {
    if (queue.failed) this.#world.destroy(client.client, key.cgroup);
    else await endClient(this.#world, client, key.cgroup);
  }

  async #fail(upstream: Upstream, lease: Lease): Promise<void> {
    const { pools, unavailable } = this.#world;
    const client = this.#streamOf(upstream, lease);
    if (lease.forwarded === 0n && (await client.write(unavailable(isHead(lease))))) {
      await client.flushed();
    }
    if (lease.forwarded > 0n) await this.#end(upstream, client);
    this.#streams.delete(upstream);
    pools.discard(upstream);
  }

  /** Clients that have gone, and connections that nobody has although they are not idle. */
  sweep(): void {
    const { words, pools, finish, destroy } = this.#world;
    for (const [upstream, client] of this.#streams) {
      if (words.probe(client.client) !== null) continue;
      client.isOver = true;
      upstream.queue.wake();
    }
    for (const upstream of [...pools.members()]) {
      const { index } = upstream;
      if (upstream.isOurs || index === null) continue;
      const lease = words.lease(index);
      const isLost = lease.isUnfinished && this.#isLost(index, lease);
      const isStrange = isLost || (!lease.isUnfinished && !pools.isIdle(upstream));
      const count = isStrange ? (this.#strange.get(upstream) ?? 0) + 1 : 0;
      if (count === 0) this.#strange.delete(upstream);
      else this.#strange.set(upstream, count);
      if (count < (isLost ? LOST_SWEEPS : STRANGE_SWEEPS)) continue;
      this.#strange.delete(upstream);
      if (!isLost && !pools.retire(upstream)) continue;
      pools.discard(upstream);
      if (!isLost) continue;
      // It may have been lent again since the look; then somebody waits for what will not come.
      const { client } = words.lease(index);
      if (!finish(client, upstream.key.cgroup)) destroy(client, upstream.key.cgroup);
    }
  }

  /** Has its client gone, or does it send no more of a request that the upstream has in part? */
  #isLost(index: number, { isOpen, client }: Lease): boolean {
    const { words } = this.#world;
    const probe = words.probe(client);
    if (probe !== null && !probe.isShut && isOpen) return false;
    const rest = words.step({ step: 'rest', index });
    return probe === null || (probe.isShut && rest !== 0);
  }
}
