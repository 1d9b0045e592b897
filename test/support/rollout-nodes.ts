/** Nodes as a control plane hears of them, for tests of rollouts: no clock, no network. */
import { begin } from '../../runtime/rollout/begin.js';
import type { NodeReport, RolloutDocument } from '../../runtime/rollout/index.js';
import { readPlan } from '../../runtime/rollout/index.js';

const digestOf = (pair: string): string => `sha256:${pair.repeat(32)}`;
export const OLD: string = digestOf('aa');
export const NEW: string = digestOf('bb');
export const OTHER: string = digestOf('cc');
export const START = 1_700_000_000_000;

/** A node that was heard at START and runs OLD. */
export function nodeReport(parts: Partial<NodeReport> & { readonly node: string }): NodeReport {
  return {
    labels: {},
    agent: '0.1.0',
    kernel: '6.12.0',
    control: 'control-1',
    heard: START,
    active: { digest: OLD, name: 'shop', generation: 1 },
    refused: null,
    counters: { allowed: 990, denied: 10, lost: 0 },
    rules: [],
    shadow: null,
    drift: null,
    ...parts,
  };
}

/** `node-1` to `node-N`; zone a and b by turns. */
export function nodeReports(count: number): NodeReport[] {
  return Array.from({ length: count }, (_, i) =>
    nodeReport({ node: `node-${i + 1}`, labels: { zone: i % 2 === 0 ? 'a' : 'b' } }),
  );
}

/** With another digest running. */
export function running(node: NodeReport, digest: string, now: number): NodeReport {
  const generation = (node.active?.generation ?? 0) + 1;
  return { ...node, heard: now, active: { digest, name: 'shop', generation } };
}

/** A rollout of NEW by a plan, over OLD unless `first`. */
export function rollout(
  plan: Readonly<Record<string, unknown>>,
  nodes: readonly NodeReport[],
  { first = false }: { readonly first?: boolean } = {},
): RolloutDocument {
  const { spec, hasTarget, diagnostics } = readPlan(JSON.stringify(plan), 'plan.json');
  if (spec === null) throw new Error(diagnostics[0]?.message);
  const target = hasTarget ? spec.target : null;
  const observed = { nodes, now: START, watchedSince: 0 };
  const common = { name: 'shop', spec: { ...spec, target }, by: 'ann', ...observed };
  const old = begin({ ...common, digest: OLD, documents: [] });
  if (!old.ok) throw new Error(old.diagnostics[0]?.message);
  const documents: RolloutDocument[] = first ? [] : [{ ...old.document, state: 'done' }];
  const made = begin({ ...common, digest: NEW, documents });
  if (!made.ok) throw new Error(made.diagnostics[0]?.message);
  return made.document;
}
