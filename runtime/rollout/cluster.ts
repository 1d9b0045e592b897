/** A cluster as those see it who look: each node beside what is desired of it, and rules over all nodes. */
import type { Watched } from './admin.js';
import { type Desired, desired, rolloutOf } from './desired.js';
import { shortDigest } from './short-digest.js';
import type { NodeReport } from './types.js';

/** A node that no rollout names may be silent so long. */
const SILENCE_MS = 30_000;

export interface NodeRow {
  readonly report: NodeReport;
  readonly desired: Desired | null;
  readonly isHeard: boolean;
  /** How it differs from what is desired; null where it does not, or nobody asks. */
  readonly drift: string | null;
}

function driftOf({ active, drift }: NodeReport, wanted: Desired | null): string | null {
  if (drift !== null) return drift;
  if (wanted === null || wanted.digest === null || active?.digest === wanted.digest) return null;
  return `runs ${shortDigest(active?.digest ?? null)}, not ${shortDigest(wanted.digest)}`;
}

/** Every node with what is desired of it, by name. */
export function nodeRows({ nodes, rollouts, now }: Watched): readonly NodeRow[] {
  return [...nodes]
    .sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }))
    .map((report) => {
      const wanted = desired(rollouts, report);
      const limit = rolloutOf(rollouts, report)?.spec.gates.silenceMs ?? SILENCE_MS;
      const isHeard = now - report.heard <= limit;
      return { report, desired: wanted, isHeard, drift: driftOf(report, wanted) };
    });
}

export interface ClusterRule {
  readonly rule: string;
  readonly policy: string;
  readonly verdict: string;
  readonly count: number;
  readonly nodes: number;
}

/** Hits by line over all nodes, the most frequent first. */
export function ruleTotals(nodes: readonly Pick<NodeReport, 'rules'>[]): readonly ClusterRule[] {
  const totals = new Map<string, ClusterRule>();
  for (const { rule, policy, verdict, count } of nodes.flatMap((n) => n.rules)) {
    const key = `${rule} ${verdict}`;
    const known = totals.get(key) ?? { rule, policy, verdict, count: 0, nodes: 0 };
    totals.set(key, { ...known, count: known.count + count, nodes: known.nodes + 1 });
  }
  return [...totals.values()].sort((a, b) => b.count - a.count || (a.rule < b.rule ? -1 : 1));
}
