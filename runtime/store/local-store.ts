/**
 * The store within one process: a ledger, and a place that makes commits durable before anybody sees
 * them. Commits that wait for the disk at the same time are written together. A lease ends with the
 * process, so it needs no clock: whoever opens the place next deletes what it held.
 */
import { checkCommit, checkKey } from './check-commit.js';
import type { Ledger, Planned } from './ledger.js';
import { StoreError } from './store-error.js';
import type { Change, Condition, Entry, Lease, Listing, Store, Write } from './types.js';

/** Where commits are made durable. */
export interface Place {
  /** All of them or, where it throws, none; after a throw that it cannot undo it refuses for good. */
  write(commits: readonly Planned[]): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly when: readonly Condition[];
  readonly writes: readonly Write[];
  readonly resolve: (revision: bigint | null) => void;
  readonly reject: (error: unknown) => void;
}

class LocalLease implements Lease {
  readonly #end = new AbortController();
  readonly #forget: (lease: Lease) => Promise<void>;
  constructor(forget: (lease: Lease) => Promise<void>) {
    this.#forget = forget;
  }
  get lost(): AbortSignal {
    return this.#end.signal;
  }
  async release(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    await this.#forget(this);
  }
}

export class LocalStore implements Store {
  readonly #ledger: Ledger;
  readonly #place: Place;
  readonly #closed = new AbortController();
  readonly #leases = new Set<Lease>();
  #queue: Waiting[] = [];
  #isWriting = false;

  constructor(ledger: Ledger, place: Place) {
    this.#ledger = ledger;
    this.#place = place;
  }

  async get(key: string): Promise<Entry | null> {
    this.#checkOpen();
    checkKey(key);
    return this.#ledger.get(key);
  }

  async list(prefix: string): Promise<Listing> {
    this.#checkOpen();
    return this.#ledger.list(prefix);
  }

  async commit(when: readonly Condition[], writes: readonly Write[]): Promise<bigint | null> {
    this.#checkOpen();
    checkCommit(when, writes);
    for (const { lease } of writes) {
      if (lease !== undefined && (lease.lost.aborted || !this.#leases.has(lease)))
        throw new StoreError('D109', 'the lease of a commit has ended');
    }
    return this.#enqueue(when, writes);
  }

  async *watch(
    prefix: string,
    from: bigint,
    signal: AbortSignal,
  ): AsyncIterable<readonly Change[]> {
    this.#checkOpen();
    yield* this.#ledger.watch(prefix, from, AbortSignal.any([signal, this.#closed.signal]));
  }

  async lease(_ttlMs: number): Promise<Lease> {
    this.#checkOpen();
    const lease = new LocalLease((ended) => this.#endLease(ended));
    this.#leases.add(lease);
    return lease;
  }

  /** Ends every lease, as if the holders had been silent for too long. */
  async expireLeases(): Promise<void> {
    await Promise.all([...this.#leases].map((lease) => lease.release()));
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    try {
      await this.expireLeases();
    } finally {
      this.#closed.abort();
      await this.#enqueue([], []);
      await this.#place.close();
    }
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw new StoreError('D110', 'the store is closed');
  }

  async #endLease(lease: Lease): Promise<void> {
    this.#leases.delete(lease);
    // Behind every commit that was accepted with it.
    await this.#enqueue([], []);
    const keys = this.#ledger.heldBy(lease);
    if (keys.length === 0) return;
    // Each by itself: a key that another writes meanwhile is that one's.
    await Promise.all(
      keys.map((key) => {
        const revision = this.#ledger.get(key)?.revision ?? 0n;
        return this.#enqueue([{ key, revision }], [{ key, value: null }]);
      }),
    );
  }

  #enqueue(when: readonly Condition[], writes: readonly Write[]): Promise<bigint | null> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ when, writes, resolve, reject });
      if (!this.#isWriting) void this.#drain();
    });
  }

  /** Writes what waits until nothing does; never throws. */
  async #drain(): Promise<void> {
    this.#isWriting = true;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      const planned: Planned[] = [];
      const answers = batch.map((waiting) => {
        const plan = this.#ledger.plan(waiting.when, waiting.writes, planned);
        if (plan !== null && plan.writes.length > 0) planned.push(plan);
        return { waiting, plan };
      });
      try {
        if (planned.length > 0) await this.#place.write(planned);
        for (const plan of planned) this.#ledger.apply(plan);
        for (const { waiting, plan } of answers) waiting.resolve(plan?.revision ?? null);
      } catch (error) {
        for (const { waiting } of answers) waiting.reject(error);
      }
    }
    this.#isWriting = false;
  }

  #take(): Waiting[] {
    const batch = this.#queue;
    this.#queue = [];
    return batch;
  }
}
