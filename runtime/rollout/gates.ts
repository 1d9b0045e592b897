/**
 * The gates of a stage: what, of all that nodes report, forbids a rollout to go on. A gate that cannot be judged
 * (too few verdicts, nothing to compare with) is open.
 */
import { durationText } from './duration.js';
import { isOfStage, isOnNew, isTargeted } from './select-nodes.js';
import type { Mark, NodeReport, RolloutDocument } from './types.js';

/** What a decision about a rollout depends on, besides its document. */
export interface Observed {
  readonly nodes: readonly NodeReport[];
  readonly now: number;
  /** Since when this control plane has heard the nodes: before, their silence means nothing. */
  readonly watchedSince: number;
}

/** Named nodes beyond so many are counted. */
const MAX_NAMED = 3;
const PERCENT = 100;

export function namesText(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** Has the node been heard lately? */
export function isHeard({ spec }: RolloutDocument, { heard }: NodeReport, now: number): boolean {
  return now - heard <= spec.gates.silenceMs;
}

/** Has the node taken the bundle, in the way the stage asks? */
export function hasTaken(document: RolloutDocument, node: NodeReport): boolean {
  const taken = isOnNew(document, node) ? node.active?.digest : node.shadow?.digest;
  return taken === document.digest;
}

function refusals(document: RolloutDocument, { nodes }: Observed): string | null {
  const found = nodes.filter(
    (n) => isTargeted(document, n) && n.refused?.digest === document.digest,
  );
  const [first] = found;
  if (first === undefined || found.length <= document.spec.gates.refusals) return null;
  const { code, message, place } = first.refused ?? { code: '', message: '', place: null };
  const where = place === null ? '' : ` (${place})`;
  return `refused by ${namesText(found.map((n) => n.node))}: ${code} ${message}${where}`;
}

function silence(document: RolloutDocument, { nodes, now, watchedSince }: Observed): string | null {
  const { silenceMs } = document.spec.gates;
  const silent = nodes.filter(
    (n) =>
      isOfStage(document, n) &&
      document.marks[n.node] !== undefined &&
      now - Math.max(n.heard, watchedSince) > silenceMs,
  );
  if (silent.length === 0) return null;
  return `${namesText(silent.map((n) => n.node))} silent for more than ${durationText(silenceMs)}`;
}

function stuck(document: RolloutDocument, { nodes, now }: Observed): string | null {
  const { confirmMs } = document.spec.gates;
  const found = nodes.filter((n) => {
    const mark = document.marks[n.node];
    const isDue = mark !== undefined && now - mark.at > confirmMs;
    return isDue && isOfStage(document, n) && !hasTaken(document, n);
  });
  if (found.length === 0) return null;
  return `${namesText(found.map((n) => n.node))} without the bundle after ${durationText(confirmMs)}`;
}

/** What a node has counted since its mark; counters that went back have begun anew. */
export function sinceMark(
  { counters: { allowed, denied } }: NodeReport,
  mark: Mark,
): { readonly allowed: number; readonly denied: number } {
  if (allowed < mark.allowed || denied < mark.denied) return { allowed, denied };
  return { allowed: allowed - mark.allowed, denied: denied - mark.denied };
}

/** Share of denials; null of fewer verdicts than are judged. */
function shareOf(
  { allowed, denied }: { readonly allowed: number; readonly denied: number },
  atLeast: number,
): number | null {
  const all = allowed + denied;
  return all === 0 || all < atLeast ? null : denied / all;
}

function percentText(share: number): string {
  return `${Number((share * PERCENT).toFixed(1))} %`;
}

function denials(document: RolloutDocument, { nodes }: Observed): string | null {
  const { rise, atLeast } = document.spec.gates;
  for (const node of nodes) {
    const mark = document.marks[node.node];
    if (mark === undefined || !isOnNew(document, node) || !hasTaken(document, node)) continue;
    const [before, after] = [shareOf(mark, atLeast), shareOf(sinceMark(node, mark), atLeast)];
    if (before === null || after === null || after - before <= rise) continue;
    return `${node.node} denies ${percentText(after)}, before ${percentText(before)}`;
  }
  return null;
}

function shadows(document: RolloutDocument, { nodes }: Observed): string | null {
  const { differences, atLeast } = document.spec.gates;
  if (document.spec.stages[document.stage]?.kind !== 'shadow') return null;
  for (const node of nodes) {
    const { shadow } = node;
    if (shadow?.digest !== document.digest || !isTargeted(document, node)) continue;
    const all = shadow.same + shadow.different;
    if (all === 0 || all < atLeast || shadow.different / all <= differences) continue;
    const [most] = shadow.rules;
    const where = most === undefined ? '' : `, mostly ${most.new} where ${most.old} decided`;
    return `${node.node} differs in ${percentText(shadow.different / all)} of ${all} verdicts${where}`;
  }
  return null;
}

const GATES = [refusals, denials, shadows, silence, stuck];

/** Why the rollout may not go on; null where every gate is open. */
export function shutGate(document: RolloutDocument, observed: Observed): string | null {
  for (const gate of GATES) {
    const found = gate(document, observed);
    if (found !== null) return found;
  }
  return null;
}
