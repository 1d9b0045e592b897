/** What the page shows, made on the server from all that is known: the page itself counts nothing. */
import {
  durationText,
  type NodeReport,
  nodeRows,
  type Progress,
  progressOf,
  type RolloutDocument,
  ruleTotals,
  shortDigest,
  stageText,
  type Watched,
} from '../rollout/index.js';

/** Where a stage is: behind, here, before, or undone. */
export type StagePlace = 'done' | 'now' | 'next' | 'undone';

export interface StageView {
  readonly text: string;
  readonly place: StagePlace;
  readonly hold: string;
  readonly meant: number;
  readonly taken: number;
}

/** What a node is in a rollout. */
export type Dot = 'new' | 'old' | 'other' | 'refused' | 'silent';

export interface RolloutView {
  readonly name: string;
  readonly number: number;
  readonly state: RolloutDocument['state'];
  readonly reason: string | null;
  readonly before: string;
  readonly digest: string;
  readonly stages: readonly StageView[];
  readonly progress: Progress;
  readonly dots: readonly { readonly node: string; readonly is: Dot }[];
  readonly history: readonly {
    readonly time: string;
    readonly what: string;
    readonly text: string;
  }[];
}

export interface NodeView {
  readonly node: string;
  readonly labels: string;
  readonly bundle: string;
  readonly generation: number | null;
  readonly allowed: number;
  readonly denied: number;
  readonly lost: number;
  readonly state: string;
  readonly is: 'ok' | 'wrong' | 'silent';
}

export interface PageState {
  readonly time: string;
  readonly nodes: readonly NodeView[];
  /** Nodes that are not among `nodes`. */
  readonly moreNodes: number;
  readonly counts: { readonly nodes: number; readonly silent: number; readonly wrong: number };
  readonly rules: readonly {
    readonly rule: string;
    readonly verdict: string;
    readonly count: number;
    readonly nodes: number;
  }[];
  readonly rollouts: readonly RolloutView[];
}

/** A page of more rows is no table that anybody reads; those that are wrong come first. */
const MAX_NODES = 500;
const MAX_DOTS = 1000;
const MAX_RULES = 50;
const MAX_HISTORY = 12;
const SECOND_MS = 1000;

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function placeOf({ state, stage }: RolloutDocument, i: number): StagePlace {
  if (state === 'undone') return i <= stage ? 'undone' : 'next';
  if (state === 'done' || i < stage) return 'done';
  return i === stage ? 'now' : 'next';
}

function dotOf(document: RolloutDocument, node: NodeReport, isHeard: boolean): Dot {
  if (!isHeard) return 'silent';
  if (node.active?.digest === document.digest) return 'new';
  if (node.refused?.digest === document.digest) return 'refused';
  return (node.active?.digest ?? null) === document.before ? 'old' : 'other';
}

function rolloutView(document: RolloutDocument, watched: Watched): RolloutView {
  const { name, number, state, reason, before, digest, spec, history } = document;
  const progress = progressOf(document, { ...watched, watchedSince: 0 });
  const rows = nodeRows({ ...watched, rollouts: [document] });
  return {
    ...{ name, number, state, reason, progress },
    before: shortDigest(before),
    digest: shortDigest(digest),
    stages: spec.stages.map((stage, i) => {
      const place = placeOf(document, i);
      const isNow = place === 'now';
      return {
        ...{ text: stageText(stage), place, hold: durationText(stage.holdMs) },
        ...{ meant: isNow ? progress.meant : 0, taken: isNow ? progress.taken : 0 },
      };
    }),
    dots: rows
      .filter((row) => row.desired !== null)
      .slice(0, MAX_DOTS)
      .map(({ report, isHeard }) => ({
        node: report.node,
        is: dotOf(document, report, isHeard),
      })),
    history: history
      .slice(-MAX_HISTORY)
      .reverse()
      .map(({ time, what, text, by }) => ({
        ...{ time: timeText(time), what },
        text: by === null ? text : `${text} (${by})`,
      })),
  };
}

function nodeView(
  { report, isHeard, drift }: ReturnType<typeof nodeRows>[number],
  now: number,
): NodeView {
  const { node, labels, active, counters, refused } = report;
  const seconds = Math.round((now - report.heard) / SECOND_MS);
  const parts = [
    ...(isHeard ? [] : [`silent for ${seconds} s`]),
    ...(drift === null ? [] : [drift]),
    ...(refused === null
      ? []
      : [`refused ${shortDigest(refused.digest)}: ${refused.code} ${refused.message}`]),
  ];
  const isWrong = drift !== null || refused !== null;
  return {
    ...{ node, ...counters },
    labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    bundle: active === null ? 'nothing' : `${active.name} ${shortDigest(active.digest)}`,
    generation: active?.generation ?? null,
    state: parts.join('; ') || 'ok',
    is: isHeard ? (isWrong ? 'wrong' : 'ok') : 'silent',
  };
}

const ORDER: Readonly<Record<NodeView['is'], number>> = { wrong: 0, silent: 1, ok: 2 };

/** Makes it. */
export function pageState(watched: Watched): PageState {
  const all = nodeRows(watched).map((row) => nodeView(row, watched.now));
  const isMany = all.length > MAX_NODES;
  const sorted = isMany ? [...all].sort((a, b) => ORDER[a.is] - ORDER[b.is]) : all;
  const countOf = (is: NodeView['is']): number => all.filter((n) => n.is === is).length;
  return {
    time: timeText(watched.now),
    nodes: sorted.slice(0, MAX_NODES),
    moreNodes: Math.max(0, all.length - MAX_NODES),
    counts: { nodes: all.length, silent: countOf('silent'), wrong: countOf('wrong') },
    rules: ruleTotals(watched.nodes)
      .slice(0, MAX_RULES)
      .map(({ rule, verdict, count, nodes }) => ({ rule, verdict, count, nodes })),
    rollouts: [...watched.rollouts]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((document) => rolloutView(document, watched)),
  };
}
