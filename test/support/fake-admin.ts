/**
 * A control plane without a network: the real rollouts over a store in memory, a clock that each look sets forward,
 * and nodes that do what they are told.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { decodeBundle } from '../../compiler/bundle/index.js';
import { keyOf } from '../../runtime/control/keys.js';
import { decodeNode, openRollouts } from '../../runtime/control/rollouts.js';
import type { EventRecord } from '../../runtime/probe/index.js';
import {
  type Admin,
  decodeRollout,
  desired,
  encodeRollout,
  type NodeReport,
  type RolloutDocument,
  step,
  type Watched,
} from '../../runtime/rollout/index.js';
import { memoryStore } from '../../runtime/store/index.js';
import { running, START } from './rollout-nodes.js';

export interface FakeControl {
  readonly admin: Admin;
  /** What came in, in order. */
  readonly asked: string[];
  /** Writes nodes, as if they had reported. */
  report(nodes: readonly NodeReport[]): Promise<void>;
  /** Goes on by so much: nodes do what they are told, and the leader takes a step. */
  goOn(ms: number): Promise<void>;
  readonly state: () => Promise<Watched>;
}

export interface FakeOptions {
  /** What a node makes of what it is told; it obeys unless this says otherwise. */
  readonly react?: (node: NodeReport, told: string | null, now: number) => NodeReport | null;
  readonly events?: readonly EventRecord[];
  /** The clock goes on by so much at each look of those who watch. */
  readonly tickMs?: number;
}

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

export function fakeControl({ react, events = [], tickMs = 1000 }: FakeOptions = {}): FakeControl {
  const store = memoryStore();
  const asked: string[] = [];
  let now = START;
  const rollouts = openRollouts({ store, now: () => now, watchedSince: () => 0 });
  const report = async (nodes: readonly NodeReport[]): Promise<void> => {
    await store.commit(
      [],
      nodes.map((n) => ({ key: keyOf.node(n.node), value: bytes(n) })),
    );
  };
  const state = async (): Promise<Watched> => {
    const [documents, nodes] = await Promise.all([store.list('rollouts/'), store.list('nodes/')]);
    return {
      rollouts: documents.entries.map((e) => decodeRollout(e.value, e.key)),
      nodes: nodes.entries.map((e) => decodeNode(e.value)).filter((n) => n !== null),
      now,
    };
  };
  const obey = (node: NodeReport, documents: readonly RolloutDocument[]): NodeReport => {
    const told = desired(documents, node);
    const digest = told?.shadow ?? told?.digest ?? null;
    const own = react?.(node, digest, now) ?? null;
    if (own !== null) return own;
    const ran = told?.digest ?? node.active?.digest ?? null;
    const next = ran === null ? { ...node, heard: now } : running(node, ran, now);
    const counts = { same: 100, different: 0, lost: 0, rules: [] };
    const shadow = told?.shadow ?? null;
    return { ...next, shadow: shadow === null ? null : { digest: shadow, ...counts } };
  };
  const goOn = async (ms: number): Promise<void> => {
    now += ms;
    const { rollouts: documents, nodes } = await state();
    await report(nodes.map((n) => obey(n, documents)));
    const observed = { nodes: (await state()).nodes, now, watchedSince: 0 };
    for (const document of documents) {
      const next = step(document, observed);
      const write = { key: keyOf.rollout(document.name), value: encodeRollout(next) };
      if (next !== document) await store.commit([], [write]);
    }
  };
  const admin: Admin = {
    putBundle: async (bundle, signatures) => {
      const decoded = decodeBundle(bundle);
      if (!decoded.ok) throw new Error('no bundle');
      const { digest, bundle: found } = decoded;
      asked.push(`put ${found.manifest.name}${signatures === null ? '' : ' signed'}`);
      await store.commit([], [{ key: keyOf.bundle(digest), value: bytes({}) }]);
      return { digest, name: found.manifest.name, version: null };
    },
    apply: async (what) => {
      asked.push(`apply ${what.name} ${what.plan}`);
      return rollouts.apply(what, 'ann');
    },
    change: async (name, what) => {
      asked.push(`${what} ${name}`);
      return rollouts.change(name, what, 'ann');
    },
    history: (name) => rollouts.history(name),
    state,
    async *watch(signal) {
      while (!signal.aborted) {
        yield await state();
        await goOn(tickMs);
        await turn();
      }
    },
    async *events(filter) {
      asked.push(`events ${JSON.stringify(filter)}`);
      yield* events;
    },
    close: async () => {
      asked.push('close');
    },
  };
  return { admin, asked, report, goOn, state };
}
