/**
 * All values below a prefix of the store, kept up to date in memory: listed once, then watched. Where the watch has
 * fallen behind, it is listed anew.
 */
import { isCompacted, type Store } from '../store/index.js';

export interface Mirrored<T> {
  readonly value: T;
  readonly revision: bigint;
}

export interface Mirror<T> {
  /** By key. */
  readonly entries: ReadonlyMap<string, Mirrored<T>>;
  /** Rejects where the store fails; resolves when the signal ends it. */
  readonly done: Promise<void>;
}

export interface MirrorOptions<T> {
  readonly store: Store;
  readonly prefix: string;
  readonly signal: AbortSignal;
  /** Null for a value that is damaged: it is as if it were not there. */
  readonly decode: (bytes: Uint8Array, key: string) => T | null;
  readonly onChange: () => void;
}

/** Opens one; resolves once it is whole. */
export async function openMirror<T>(options: MirrorOptions<T>): Promise<Mirror<T>> {
  const { store, prefix, signal, decode, onChange } = options;
  const entries = new Map<string, Mirrored<T>>();
  const put = (key: string, bytes: Uint8Array | null, revision: bigint): void => {
    const value = bytes === null ? null : decode(bytes, key);
    if (value === null) entries.delete(key);
    else entries.set(key, { value, revision });
  };
  const fill = async (): Promise<bigint> => {
    const { entries: found, revision } = await store.list(prefix);
    entries.clear();
    for (const entry of found) put(entry.key, entry.value, entry.revision);
    return revision;
  };
  const follow = async (revision: bigint): Promise<void> => {
    let from = revision;
    while (!signal.aborted) {
      try {
        for await (const changes of store.watch(prefix, from, signal)) {
          for (const { key, value, revision: at } of changes) {
            put(key, value, at);
            from = at;
          }
          onChange();
        }
        return;
      } catch (error) {
        if (!isCompacted(error)) throw error;
        from = await fill();
        onChange();
      }
    }
  };
  const done = follow(await fill());
  done.catch(() => {}); // whoever awaits it is told
  return { entries, done };
}
