/** Begins a rollout, or says why it may not begin. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';
import { rolloutOf, settledDigest } from './desired.js';
import { namesText, type Observed } from './gates.js';
import { note } from './note.js';
import { hasLabels } from './select-nodes.js';
import { enterStage, stageText } from './step.js';
import type { Labels, RolloutDocument, RolloutSpec } from './types.js';

export type Changed =
  | { readonly ok: true; readonly document: RolloutDocument }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export interface Begin extends Observed {
  readonly name: string;
  readonly digest: string;
  /** Without a target that of the rollout before. */
  readonly spec: Omit<RolloutSpec, 'target'> & { readonly target: Labels | null };
  /** All rollouts of the store, that of this name among them. */
  readonly documents: readonly RolloutDocument[];
  readonly by: string;
}

export function refuse(code: string, message: string): Changed {
  const help = CODES[code]?.help ?? null;
  return { ok: false, diagnostics: [diagnostic(code, message, { help })] };
}

function isSame(a: Labels, b: Labels): boolean {
  return hasLabels(a, b) && hasLabels(b, a);
}

function labelsText(labels: Labels): string {
  const text = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return text.length === 0 ? 'all nodes' : text.join(',');
}

/**
 * A first rollout that is paused has nothing to be undone to, and is not resumed while its gate is shut: only another one
 * leads on from there. Nodes that took it run it until they are told another.
 */
function isReplaceable({ before }: RolloutDocument): boolean {
  return before === null;
}

/** Against the rollout of the same name; null where nothing is wrong. */
function againstLast(
  { name, digest }: Begin,
  target: Labels,
  last: RolloutDocument,
): Changed | null {
  if (last.state === 'running' || (last.state === 'paused' && !isReplaceable(last))) {
    return refuse('C103', `rollout ${last.number} of \`${name}\` is ${last.state}`);
  }
  // Nodes that are no longer meant would keep what they run, and nobody would speak for them.
  if (!hasLabels(last.spec.target, target)) {
    const [now, then] = [labelsText(target), labelsText(last.spec.target)];
    return refuse('C107', `\`${name}\` is meant for ${then}, which ${now} does not cover`);
  }
  if (settledDigest(last) === digest && isSame(target, last.spec.target)) {
    return refuse('C104', `the nodes of \`${name}\` run ${digest} already`);
  }
  return null;
}

/** Makes the document of a new rollout, in its first stage. */
export function begin(asked: Begin): Changed {
  const { name, digest, documents, nodes, now, by } = asked;
  const last = documents.find((d) => d.name === name) ?? null;
  const target = asked.spec.target ?? last?.spec.target ?? {};
  const found = last === null ? null : againstLast(asked, target, last);
  if (found !== null) return found;
  const meant = nodes.filter((n) => hasLabels(n.labels, target));
  if (meant.length === 0) {
    const which = Object.keys(target).length === 0 ? '' : ` with ${labelsText(target)}`;
    return refuse('C106', `no node is known${which}`);
  }
  const others = documents.filter((d) => d.name !== name);
  const taken = meant.filter((n) => rolloutOf(others, n) !== null);
  if (taken.length > 0) {
    const names = [...new Set(taken.map((n) => rolloutOf(others, n)?.name ?? ''))];
    const nodeNames = namesText(taken.map((n) => n.node));
    return refuse('C105', `${nodeNames}: of \`${names.join('`, `')}\` already`);
  }
  const first: RolloutDocument = {
    schemaVersion: 1,
    ...{ name, digest, number: (last?.number ?? 0) + 1 },
    before: last === null ? null : settledDigest(last),
    spec: { ...asked.spec, target },
    ...{ state: 'running', pausedBy: null, reason: null },
    ...{ stage: 0, since: now, settled: null, released: false },
    canary: { below: 0, labels: [] },
    marks: {},
    ...{ created: last?.created ?? now, by, history: [] },
  };
  const entered = enterStage(first, 0, asked);
  const [stage] = entered.spec.stages;
  const text = `${digest}, ${stage === undefined ? '' : stageText(stage)}`;
  return { ok: true, document: note(entered, { time: now, what: 'begin', by, text }) };
}
