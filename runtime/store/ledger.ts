/**
 * The state of the memory and folder forms: keys as they stand, the last commits for those who watch,
 * and what is held by a lease. Knows nothing of disks: a commit is planned, made durable by whoever
 * owns the ledger, and then applied.
 */
import { StoreError } from './store-error.js';
import type { Change, Condition, Entry, Lease, Listing, Write } from './types.js';

/** How many commits a watcher may lie behind. */
const HISTORY_COMMITS = 4096;
/** How many bytes of values those commits may hold; the last commit is always kept. */
const HISTORY_BYTES: number = 32 << 20;

/** A commit that has been planned: what it will do, and what holds its keys. */
export interface Planned {
  readonly revision: bigint;
  readonly writes: readonly Write[];
}

interface Held {
  readonly entry: Entry;
  readonly lease: Lease | null;
}

interface Past {
  readonly changes: readonly Change[];
  readonly bytes: number;
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : 1;
}

export class Ledger {
  readonly #held = new Map<string, Held>();
  /** Commits without a gap; the last one is of `#revision`. */
  readonly #past: Past[] = [];
  #pastBytes = 0;
  // As etcd: an empty store has a revision that a watch can begin at.
  #revision = 1n;
  #waiting: (() => void)[] = [];

  get revision(): bigint {
    return this.#revision;
  }

  get(key: string): Entry | null {
    return this.#held.get(key)?.entry ?? null;
  }

  list(prefix: string): Listing {
    const entries: Entry[] = [];
    for (const { entry } of this.#held.values()) {
      if (entry.key.startsWith(prefix)) entries.push(entry);
    }
    return { entries: entries.sort(byKey), revision: this.#revision };
  }

  /**
   * What a commit would do after the ones in `before`, which are planned and not applied. Null where a
   * condition does not hold; a plan of no writes where nothing has to change.
   */
  plan(
    when: readonly Condition[],
    writes: readonly Write[],
    before: readonly Planned[] = [],
  ): Planned | null {
    const revisions = new Map<string, bigint>();
    for (const planned of before) {
      for (const { key, value } of planned.writes) {
        revisions.set(key, value === null ? 0n : planned.revision);
      }
    }
    const revisionOf = (key: string): bigint =>
      revisions.get(key) ?? this.#held.get(key)?.entry.revision ?? 0n;
    if (when.some(({ key, revision }) => revisionOf(key) !== revision)) return null;
    const effective = writes.filter(({ key, value }) => value !== null || revisionOf(key) !== 0n);
    const last = before.at(-1)?.revision ?? this.#revision;
    return { revision: effective.length > 0 ? last + 1n : last, writes: effective };
  }

  /** Makes a planned commit visible, in the order of planning. */
  apply({ revision, writes }: Planned): void {
    if (writes.length === 0) return;
    const changes = writes.map(({ key, value, lease }) => {
      if (value === null) this.#held.delete(key);
      else this.#held.set(key, { entry: { key, value, revision }, lease: lease ?? null });
      return { key, value, revision };
    });
    this.#remember(changes);
    this.#revision = revision;
    this.#wake();
  }

  /** Every key, in no order, and whether it goes with a lease. */
  *held(): Iterable<{ readonly entry: Entry; readonly leased: boolean }> {
    for (const { entry, lease } of this.#held.values()) yield { entry, leased: lease !== null };
  }

  /** Takes over a state that was read whole: nothing is known of how it came to be. */
  restore(entries: readonly Entry[], revision: bigint): void {
    for (const entry of entries) this.#held.set(entry.key, { entry, lease: null });
    this.#revision = revision;
  }

  /** The keys that go when `lease` ends. */
  heldBy(lease: Lease): string[] {
    return [...this.#held.values()]
      .filter((held) => held.lease === lease)
      .map(({ entry }) => entry.key);
  }

  /** The commits after `from` below `prefix`, until `signal` aborts. Throws D102. */
  async *watch(
    prefix: string,
    from: bigint,
    signal: AbortSignal,
  ): AsyncIterable<readonly Change[]> {
    let seen = from;
    while (!signal.aborted) {
      if (seen >= this.#revision) {
        await this.#next(signal);
        continue;
      }
      const index = this.#past.length - Number(this.#revision - seen);
      const past = this.#past[index];
      if (past === undefined) {
        throw new StoreError('D102', `changes after revision ${seen} are no longer kept`);
      }
      seen += 1n;
      const changes = past.changes.filter(({ key }) => key.startsWith(prefix));
      if (changes.length > 0) yield changes;
    }
  }

  #remember(changes: readonly Change[]): void {
    const bytes = changes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    this.#past.push({ changes, bytes });
    this.#pastBytes += bytes;
    while (
      this.#past.length > HISTORY_COMMITS ||
      (this.#pastBytes > HISTORY_BYTES && this.#past.length > 1)
    ) {
      this.#pastBytes -= this.#past.shift()?.bytes ?? 0;
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at the next commit, or when `signal` aborts. */
  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.#waiting.push(done);
    });
  }
}
