/**
 * What the control plane keeps its state in: keys with revisions, conditional commits, a watch that
 * misses nothing, leases. Three forms keep this contract (memory, a folder, etcd), and one
 * conformance test holds them to it.
 *
 * A revision counts the commits of the whole store: every change of one commit bears the same, and a
 * later commit a higher one.
 */

/** One key as it stands. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The commit that last wrote it. */
  readonly revision: bigint;
}

/** What a commit did to one key; `value` is null where it was deleted. */
export interface Change {
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly revision: bigint;
}

/** Holds where the key's last revision is this one; 0n: where it is absent. */
export interface Condition {
  readonly key: string;
  readonly revision: bigint;
}

/** A key to write, or to delete with `value` null. */
export interface Write {
  readonly key: string;
  readonly value: Uint8Array | null;
  /** The key goes when this lease ends, unless somebody has written it again by then. */
  readonly lease?: Lease;
}

/** A sign of life, kept up until it is released. */
export interface Lease {
  /** Aborts when the lease has ended, or may have: whoever acts by it stops then. */
  readonly lost: AbortSignal;
  /** Ends it: keys that were committed with it are deleted. Harmless when repeated. */
  release(): Promise<void>;
}

export interface Store {
  get(key: string): Promise<Entry | null>;
  /** Every key that begins with `prefix`, in the order of their bytes, as of one moment: `revision`. */
  list(prefix: string): Promise<Listing>;
  /**
   * Makes all changes or none. Resolves, once they will outlive a crash, to their revision; to null
   * where a condition does not hold. Where nothing had to change, to the store's own revision.
   */
  commit(when: readonly Condition[], writes: readonly Write[]): Promise<bigint | null>;
  /**
   * Every change below `prefix` after the revision `from`, each once and in order; each array is what
   * one commit did. Ends when `signal` aborts or the store closes. Throws D102 where what follows
   * `from` is no longer known: list anew, and watch from there.
   */
  watch(prefix: string, from: bigint, signal: AbortSignal): AsyncIterable<readonly Change[]>;
  /** Throws where the store cannot be reached. */
  lease(ttlMs: number): Promise<Lease>;
  /** Ends watches and leases. Harmless when repeated. */
  close(): Promise<void>;
}

export interface Listing {
  readonly entries: readonly Entry[];
  readonly revision: bigint;
}
