/**
 * Which resources each node is to have: rollouts as the store has them, and the bytes of the bundles
 * that they name. A change is told when the bytes that it needs are here.
 */
import { decodeRollout, desired, type Labels, type RolloutDocument } from '../rollout/index.js';
import type { Store } from '../store/index.js';
import { BUNDLE_VERSIONS, readBundle, type StoredBundle } from './bundles.js';
import { follow } from './follow.js';
import { bundleResource, type Resource, type View } from './resource.js';
import type { BundleMode, Clock } from './wire/index.js';
import { resourceName } from './wire/index.js';

/** A bundle that could not be had is asked for again after so long, in milliseconds. */
const RETRY_MS = 5_000;

export interface Targets {
  view(node: { readonly node: string; readonly labels: Labels }): View;
  /** Told when views may have changed; answers with how to stop being told. */
  onChange(listener: () => void): () => void;
  readonly rollouts: readonly RolloutDocument[];
  readonly ready: Promise<void>;
}

export interface TargetOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFault: (error: unknown) => void;
}

/** Bundles that rollouts name now. */
function digestsOf(documents: readonly RolloutDocument[]): ReadonlySet<string> {
  return new Set(
    documents.flatMap(({ digest, before }) => (before === null ? [digest] : [digest, before])),
  );
}

/** Follows the rollouts of a store. */
export function openTargets({ store, clock, signal, onFault }: TargetOptions): Targets {
  let documents: readonly RolloutDocument[] = [];
  const bundles = new Map<string, StoredBundle>();
  const stale = new Set<string>();
  /** By digest and mode: encoded once, whoever gets it. */
  const resources = new Map<string, Resource>();
  const listeners = new Set<() => void>();
  let turn: Promise<void> = Promise.resolve();
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });

  function read(): readonly RolloutDocument[] {
    return [...followed.entries].flatMap(([key, bytes]) => {
      try {
        return [decodeRollout(bytes, key)];
      } catch (error) {
        onFault(error);
        return [];
      }
    });
  }

  /** The same bundle was put again, with other signatures: what is had of it is read anew. */
  function forget(keys: readonly string[]): void {
    for (const key of keys) stale.add(key.slice(BUNDLE_VERSIONS.length));
    plan();
  }

  async function fetch(digests: ReadonlySet<string>): Promise<boolean> {
    let isWhole = true;
    for (const digest of digests) {
      const isStale = stale.has(digest);
      if (bundles.has(digest) && !isStale) continue;
      stale.delete(digest);
      try {
        bundles.set(digest, await readBundle(store, digest));
        if (isStale) dropResources((of) => of === digest);
      } catch (error) {
        onFault(error);
        if (isStale) stale.add(digest);
        isWhole = false;
      }
    }
    return isWhole;
  }

  async function refresh(): Promise<void> {
    const next = read();
    const digests = digestsOf(next);
    const isWhole = await fetch(digests);
    documents = next;
    for (const digest of [...bundles.keys()]) if (!digests.has(digest)) bundles.delete(digest);
    for (const digest of stale) if (!digests.has(digest)) stale.delete(digest);
    dropResources((of) => !digests.has(of));
    isReady();
    for (const listener of [...listeners]) listener();
    if (!isWhole && !signal.aborted) clock.after(RETRY_MS, plan);
  }

  function dropResources(isGone: (digest: string) => boolean): void {
    for (const key of [...resources.keys()]) {
      if (isGone(key.split(' ')[0] ?? '')) resources.delete(key);
    }
  }

  /** One refresh at a time, each of what stands when it begins. */
  function plan(): void {
    turn = turn.then(() => (signal.aborted ? undefined : refresh())).catch(onFault);
  }

  function resource(name: string, digest: string, mode: BundleMode): Resource | null {
    const key = `${digest} ${mode} ${name}`;
    const known = resources.get(key);
    if (known !== undefined) return known;
    const stored = bundles.get(digest);
    if (stored === undefined) return null;
    const { bundle, signatures } = stored;
    const made = bundleResource({ name, digest, mode, bundle, signatures });
    resources.set(key, made);
    return made;
  }

  const followed = follow(store, 'rollouts/', { signal, clock, onFault, onChange: plan });
  follow(store, BUNDLE_VERSIONS, { signal, clock, onFault, onChange: forget });
  // Also where there is no rollout yet.
  void followed.ready.then(plan);
  return {
    ready,
    get rollouts() {
      return documents;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    view(node) {
      const wanted = desired(documents, node);
      const found = new Map<string, Resource>();
      const held = new Set<string>();
      const add = (digest: string | null, mode: BundleMode): void => {
        if (wanted === null || digest === null) return;
        const one = resource(wanted.name, digest, mode);
        if (one === null) held.add(resourceName(wanted.name, mode));
        else found.set(one.name, one);
      };
      add(wanted?.digest ?? null, 'enforce');
      add(wanted?.shadow ?? null, 'shadow');
      return { resources: found, held };
    },
  };
}
