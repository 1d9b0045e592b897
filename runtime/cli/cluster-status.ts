/** The nodes of a cluster, as `weft status --control` shows them. */
import {
  type Desired,
  desired,
  type NodeReport,
  rolloutOf,
  type Watched,
} from '../rollout/index.js';
import { columns } from './columns.js';
import type { Result } from './command-spec.js';
import { EXIT } from './exit.js';
import { shortDigest, timeText } from './rollout-text.js';

/** A node that no rollout names may be silent so long. */
const SILENCE_MS = 30_000;
const SECOND_MS = 1000;
const MAX_RULES = 20;

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

function nodeLine({ report, isHeard, drift }: NodeRow, now: number): string[] {
  const { node, active, counters, labels, refused } = report;
  const seconds = Math.max(0, Math.round((now - report.heard) / SECOND_MS));
  const state = [
    ...(isHeard ? [] : [`silent for ${seconds}s`]),
    ...(drift === null ? [] : [drift]),
    ...(refused === null ? [] : [`refused ${shortDigest(refused.digest)}: ${refused.code}`]),
  ];
  return [
    node,
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    active === null ? 'nothing' : `${active.name} ${shortDigest(active.digest)}`,
    active === null ? '' : `generation ${active.generation}`,
    `${counters.allowed} allowed`,
    `${counters.denied} denied`,
    `${counters.lost} lost`,
    state.join('; ') || 'ok',
  ];
}

/** The answer of `weft status --control`. */
export function clusterStatus(watched: Watched): Result {
  const rows = nodeRows(watched);
  const rules = ruleTotals(watched.nodes);
  const drifted = rows.filter(({ drift, isHeard }) => drift !== null && isHeard);
  const text = [
    `nodes  ${rows.length}, ${rows.filter((r) => !r.isHeard).length} silent, ${drifted.length} not as desired`,
    columns(
      rows.map((row) => nodeLine(row, watched.now)),
      '  ',
    ),
    ...(rules.length === 0
      ? []
      : [
          'rules',
          columns(
            rules
              .slice(0, MAX_RULES)
              .map((r) => [r.rule, r.verdict, String(r.count), `on ${r.nodes} nodes`]),
            '  ',
          ),
        ]),
  ];
  return {
    exit: drifted.length === 0 ? EXIT.ok : EXIT.differences,
    document: {
      time: timeText(watched.now),
      nodes: rows.map(({ report, desired: wanted, isHeard, drift }) => ({
        ...{ ...report, heard: timeText(report.heard), isHeard },
        ...{ desired: wanted, drift },
      })),
      rules,
      rollouts: watched.rollouts.map(({ name, number, state, digest, before }) => ({
        ...{ name, number, state, digest, before },
      })),
    },
    text: text.filter((part) => part !== '').join('\n'),
  };
}
