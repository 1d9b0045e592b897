/**
 * A prefix of the store, kept in memory: listed, then watched; listed anew where the watch fell behind
 * or the store was away. What changed is told commit by commit.
 */
import { isCompacted, type Store } from '../store/index.js';
import { type Clock, pause } from './wire/index.js';

/** Between two tries to reach the store again, in milliseconds. */
const RETRY_MS = 1_000;

export interface Followed {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  /** Resolves when the first listing is in. */
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Keys that changed or went; the map is already as it is now. */
  readonly onChange: (keys: readonly string[]) => void;
  readonly onFault: (error: unknown) => void;
}

function isSameValue(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** Follows a prefix until the signal. */
export function follow(store: Store, prefix: string, options: FollowOptions): Followed {
  const { signal, clock, onChange, onFault } = options;
  const entries = new Map<string, Uint8Array>();
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  async function list(): Promise<bigint> {
    const listing = await store.list(prefix);
    const now = new Map(listing.entries.map(({ key, value }) => [key, value]));
    const gone = [...entries.keys()].filter((key) => !now.has(key));
    const changed = [...now].filter(([key, value]) => !isSameValue(entries.get(key), value));
    for (const key of gone) entries.delete(key);
    for (const [key, value] of changed) entries.set(key, value);
    const keys = [...gone, ...changed.map(([key]) => key)];
    if (keys.length > 0) onChange(keys);
    isReady();
    return listing.revision;
  }

  async function once(): Promise<void> {
    const revision = await list();
    for await (const changes of store.watch(prefix, revision, signal)) {
      for (const { key, value } of changes) {
        if (value === null) entries.delete(key);
        else entries.set(key, value);
      }
      onChange(changes.map(({ key }) => key));
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await once();
        // A watch that ends by itself: the store was closed.
        return;
      } catch (error) {
        if (isCompacted(error)) continue;
        onFault(error);
        await pause(clock, RETRY_MS, signal);
      }
    }
  }
  return { entries, ready, done: run() };
}
