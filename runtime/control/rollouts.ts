/**
 * Rollouts in the store: begun and changed for operators, by any control plane. Each change is one commit under the
 * revision that it was made from; where another was first, it is made again from what is there then.
 */
import {
  type Applying,
  begin,
  type Change,
  type Changed,
  change,
  decodeRollout,
  encodeRollout,
  type NodeReport,
  type Observed,
  type RolloutDocument,
  readPlan,
} from '../rollout/index.js';
import type { Condition, Entry, Store, Write } from '../store/index.js';
import { BEGUN, keyOf, NODES, ROLLOUTS } from './keys.js';
import { AdminRefused, adminRefused } from './refused.js';

/** Others may be first so often before one gives up. */
const MAX_TRIES = 16;

export interface RolloutsOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Since when this control plane hears nodes. */
  readonly watchedSince: () => number;
}

export interface Rollouts {
  /** Begins one. Rejects with AdminRefused. */
  apply(asked: Applying, by: string): Promise<RolloutDocument>;
  /** Pauses, resumes or undoes one. Rejects with AdminRefused. */
  change(name: string, what: Change, by: string): Promise<RolloutDocument>;
  /** Those that others have followed, the newest first. */
  history(name: string): Promise<readonly RolloutDocument[]>;
}

/** A node's report from the bytes of the store; null where it is none. */
export function decodeNode(bytes: Uint8Array): NodeReport | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null && 'node' in value && 'heard' in value
      ? (value as NodeReport)
      : null;
  } catch {
    return null;
  }
}

function taken(made: Changed): RolloutDocument {
  if (!made.ok) throw new AdminRefused(made.diagnostics);
  return made.document;
}

function isAt(entry: Entry | null, key: string): Condition {
  return { key, revision: entry?.revision ?? 0n };
}

/** Opens them. */
export function openRollouts({ store, now, watchedSince }: RolloutsOptions): Rollouts {
  const observe = async (): Promise<Observed> => {
    const { entries } = await store.list(NODES);
    const nodes = entries.map(({ value }) => decodeNode(value)).filter((n) => n !== null);
    return { nodes, now: now(), watchedSince: watchedSince() };
  };
  const commit = async (
    name: string,
    make: () => Promise<{
      readonly document: RolloutDocument;
      readonly when: readonly Condition[];
      readonly writes: readonly Write[];
    }>,
  ): Promise<RolloutDocument> => {
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const { document, when, writes } = await make();
      const write = { key: keyOf.rollout(name), value: encodeRollout(document) };
      if ((await store.commit(when, [write, ...writes])) !== null) return document;
    }
    throw adminRefused('C113', `rollout of \`${name}\` is changed by others all the time`);
  };

  const beginOnce = async (
    asked: Applying,
    by: string,
  ): ReturnType<Parameters<typeof commit>[1]> => {
    const { name, digest, plan } = asked;
    const { spec, hasTarget, diagnostics } = readPlan(plan, 'plan');
    if (spec === null) throw new AdminRefused(diagnostics);
    const [guard, bundle, all] = await Promise.all([
      store.get(BEGUN),
      store.get(keyOf.bundle(digest)),
      store.list(ROLLOUTS),
    ]);
    if (bundle === null) throw adminRefused('C112', `no bundle ${digest} has been given`);
    const documents = all.entries.map((e) => decodeRollout(e.value, e.key));
    const last = all.entries.find((e) => e.key === keyOf.rollout(name)) ?? null;
    const target = hasTarget ? spec.target : null;
    const observed = await observe();
    const document = taken(
      begin({ ...{ name, digest, documents, by }, spec: { ...spec, target }, ...observed }),
    );
    const ended = documents.find((d) => d.name === name);
    const kept = ended && { key: keyOf.history(name, ended.number), value: encodeRollout(ended) };
    return {
      document,
      when: [isAt(last, keyOf.rollout(name)), isAt(guard, BEGUN)],
      writes: [
        { key: BEGUN, value: new TextEncoder().encode(JSON.stringify({ name, time: now() })) },
        ...(kept === undefined ? [] : [kept]),
      ],
    };
  };

  return {
    apply: (asked, by) => commit(asked.name, () => beginOnce(asked, by)),
    change: (name, what, by) =>
      commit(name, async () => {
        const entry = await store.get(keyOf.rollout(name));
        if (entry === null) throw adminRefused('C114', `there is no rollout of \`${name}\``);
        const document = decodeRollout(entry.value, entry.key);
        const made = taken(change(document, what, { ...(await observe()), by }));
        return { document: made, when: [isAt(entry, entry.key)], writes: [] };
      }),
    history: async (name) => {
      const { entries } = await store.list(keyOf.histories(name));
      return entries.map((e) => decodeRollout(e.value, e.key)).sort((a, b) => b.number - a.number);
    },
  };
}
