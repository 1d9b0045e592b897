/**
 * One step of a rollout: what follows from its document and from what nodes report. Pure, and the same for whoever
 * asks. A rollout goes one stage forward, or ends, or pauses; it never goes forward while a gate is shut.
 */
import { hasTaken, isHeard, type Observed, shutGate } from './gates.js';
import { note } from './note.js';
import { isOfStage, isOnNew, widen } from './select-nodes.js';
import type { Mark, NodeReport, RolloutDocument, Stage } from './types.js';

function markOf({ counters }: NodeReport, at: number): Mark {
  return { at, allowed: counters.allowed, denied: counters.denied };
}

/** Puts nodes of the stage under watch that are heard for the first time in it. */
function watchNodes(document: RolloutDocument, { nodes, now }: Observed): RolloutDocument {
  const found = nodes.filter(
    (n) =>
      document.marks[n.node] === undefined && isOfStage(document, n) && isHeard(document, n, now),
  );
  if (found.length === 0) return document;
  const added = Object.fromEntries(found.map((n) => [n.node, markOf(n, now)]));
  return { ...document, marks: { ...document.marks, ...added } };
}

/** Begins a stage: who is new in it is marked with what it has counted until now. */
export function enterStage(
  document: RolloutDocument,
  stage: number,
  observed: Observed,
): RolloutDocument {
  const { nodes, now } = observed;
  const next = document.spec.stages[stage] as Stage;
  const kept = nodes.filter((n) => isOnNew(document, n)).map((n) => n.node);
  const marks = Object.entries(document.marks).filter(([node]) => kept.includes(node));
  const heard = nodes.filter((n) => isHeard(document, n, now));
  return watchNodes(
    {
      ...{ ...document, stage, since: now, settled: null, released: false },
      canary: widen(document, next, heard),
      marks: Object.fromEntries(marks),
    },
    observed,
  );
}

/** What a stage is called. */
export function stageText({ kind, percent, labels }: Stage): string {
  if (kind !== 'canary') return kind;
  if (percent !== null) return `canary ${percent} %`;
  return `canary ${Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',')}`;
}

/** Ends it on the old bundle. */
export function undone(
  document: RolloutDocument,
  reason: string,
  { now, by }: { readonly now: number; readonly by: string | null },
): RolloutDocument {
  const ended = { ...document, state: 'undone', pausedBy: null, reason, marks: {} } as const;
  return note(ended, { time: now, what: 'undo', by, text: reason });
}

function shut(document: RolloutDocument, reason: string, now: number): RolloutDocument {
  if (document.spec.onShut === 'rollback' && document.before !== null) {
    return undone(document, reason, { now, by: null });
  }
  if (document.state === 'paused') return document;
  const paused = { ...document, state: 'paused', pausedBy: 'gate', reason } as const;
  return note(paused, { time: now, what: 'pause', by: null, text: reason });
}

/** Have all nodes that are watched taken the bundle, and are they heard? At least one must be. */
function isSettled(document: RolloutDocument, { nodes, now }: Observed): boolean {
  const watched = nodes.filter(
    (n) => isOfStage(document, n) && document.marks[n.node] !== undefined,
  );
  return (
    watched.length > 0 && watched.every((n) => hasTaken(document, n) && isHeard(document, n, now))
  );
}

function forward(document: RolloutDocument, observed: Observed): RolloutDocument {
  const { now } = observed;
  const { stages } = document.spec;
  const stage = stages[document.stage] as Stage;
  if (stage.pause && !document.released) {
    const reason = `the plan pauses behind ${stageText(stage)}`;
    const paused = { ...document, state: 'paused', pausedBy: 'plan', reason } as const;
    return note(paused, { time: now, what: 'pause', by: null, text: reason });
  }
  const next = stages[document.stage + 1];
  if (next === undefined) {
    const done = { ...document, state: 'done', marks: {} } as const;
    return note(done, { time: now, what: 'done', by: null, text: 'every node is on it' });
  }
  const entered = enterStage(document, document.stage + 1, observed);
  return note(entered, { time: now, what: 'stage', by: null, text: stageText(next) });
}

/** Takes one step; answers the same object where there is nothing to do. */
export function step(document: RolloutDocument, observed: Observed): RolloutDocument {
  if (document.state === 'done' || document.state === 'undone') return document;
  const watched = watchNodes(document, observed);
  const reason = shutGate(watched, observed);
  if (reason !== null) return shut(watched, reason, observed.now);
  if (watched.state === 'paused' || !isSettled(watched, observed)) return watched;
  const { now } = observed;
  if (watched.settled === null) return { ...watched, settled: now };
  const hold = watched.spec.stages[watched.stage]?.holdMs ?? 0;
  return now - watched.settled >= hold ? forward(watched, observed) : watched;
}
