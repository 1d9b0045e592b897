/** The nodes of a cluster, as `weft status --control` shows them. */
import { type NodeRow, nodeRows, ruleTotals, shortDigest, type Watched } from '../rollout/index.js';
import { columns } from './columns.js';
import type { Result } from './command-spec.js';
import { EXIT } from './exit.js';
import { timeText } from './rollout-text.js';

const SECOND_MS = 1000;
const MAX_RULES = 20;

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
