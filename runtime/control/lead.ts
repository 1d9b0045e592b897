/**
 * Drives rollouts. One control plane at a time does, the one whose lease holds the key `leader`; each of its commits
 * is made under that key's revision besides the document's own, so that one which has lost the lease changes nothing.
 */
import {
  decodeRollout,
  encodeRollout,
  type NodeReport,
  type Observed,
  type RolloutDocument,
  step,
} from '../rollout/index.js';
import type { Lease, Store } from '../store/index.js';
import { keyOf, LEADER, NODES, ROLLOUTS } from './keys.js';
import { type Mirror, openMirror } from './mirror.js';
import { decodeNode } from './rollouts.js';
import { type Clock, pause } from './wire/index.js';

/** A leader that is gone is followed after so long. */
const LEASE_MS = 10_000;
/** Time alone moves rollouts too. */
const TICK_MS = 1000;
/** After a fault of the store. */
const RETRY_MS = 1000;

export interface LeadOptions {
  readonly store: Store;
  /** Of this control plane. */
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What goes wrong is told, and tried again. */
  readonly onError: (error: unknown) => void;
  /** Told when it begins to lead, and when it no longer does. */
  readonly onLead?: (leads: boolean) => void;
}

interface Term {
  readonly lease: Lease;
  readonly revision: bigint;
}

/** Takes the lead; null where another has it. */
async function takeLead({ store, name, clock }: LeadOptions): Promise<Term | null> {
  if ((await store.get(LEADER)) !== null) return null;
  const lease = await store.lease(LEASE_MS);
  try {
    const value = new TextEncoder().encode(JSON.stringify({ name, since: clock.now() }));
    const when = [{ key: LEADER, revision: 0n }];
    const revision = await store.commit(when, [{ key: LEADER, value, lease }]);
    if (revision !== null) return { lease, revision };
  } catch (error) {
    await lease.release();
    throw error;
  }
  await lease.release();
  return null;
}

/** Wakes a loop, once for any number of changes. */
class Wake {
  #waiting: AbortController | null = null;
  #isRung = false;
  readonly ring = (): void => {
    this.#isRung = true;
    this.#waiting?.abort();
  };
  /** Until it is rung, or so long, or the signal. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    this.#waiting = waiting;
    if (this.#isRung || signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await pause(clock, ms, waiting.signal);
    signal.removeEventListener('abort', stop);
    this.#isRung = false;
  }
}

/** Steps every rollout once. */
async function stepAll(
  { store }: LeadOptions,
  { revision }: Term,
  documents: Mirror<RolloutDocument>,
  observed: Observed,
): Promise<void> {
  for (const [key, { value, revision: at }] of documents.entries) {
    const next = step(value, observed);
    if (next === value) continue;
    const when = [
      { key, revision: at },
      { key: LEADER, revision },
    ];
    // Where it was changed meanwhile, the mirror will say so.
    await store.commit(when, [{ key: keyOf.rollout(next.name), value: encodeRollout(next) }]);
  }
}

/** Leads until the term ends. */
async function govern(options: LeadOptions, term: Term): Promise<void> {
  const { store, clock, onError } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, term.lease.lost, stop.signal]);
  const watchedSince = clock.now();
  const wake = new Wake();
  const common = { store, signal, onChange: wake.ring };
  try {
    const documents = await openMirror<RolloutDocument>({
      ...{ ...common, prefix: ROLLOUTS },
      decode: (bytes, key) => {
        try {
          return decodeRollout(bytes, key);
        } catch (error) {
          onError(error);
          return null;
        }
      },
    });
    const nodes = await openMirror<NodeReport>({ ...common, prefix: NODES, decode: decodeNode });
    // A watch that failed ends the term: whoever leads next lists anew.
    for (const { done } of [documents, nodes]) {
      done.catch((error: unknown) => {
        onError(error);
        stop.abort();
      });
    }
    while (!signal.aborted) {
      const heard = [...nodes.entries.values()].map(({ value }) => value);
      await stepAll(options, term, documents, { nodes: heard, now: clock.now(), watchedSince });
      await wake.wait(clock, TICK_MS, signal);
    }
  } finally {
    stop.abort();
    await term.lease.release();
  }
}

/** Leads whenever it may, until the signal. Never rejects. */
export async function lead(options: LeadOptions): Promise<void> {
  const { clock, signal, onError, onLead } = options;
  while (!signal.aborted) {
    try {
      const term = await takeLead(options);
      if (term === null) {
        await pause(clock, TICK_MS, signal);
        continue;
      }
      onLead?.(true);
      try {
        await govern(options, term);
      } finally {
        onLead?.(false);
      }
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await pause(clock, RETRY_MS, signal);
    }
  }
}
