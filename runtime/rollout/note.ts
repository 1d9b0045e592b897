/** History of a rollout: what happened, when, and by whom. */
import type { HistoryEntry, RolloutDocument } from './types.js';

/** Older entries than so many are left out, but for the first. */
const KEPT = 200;

/** Adds an entry about the stage that the document is in. */
export function note(
  document: RolloutDocument,
  entry: Omit<HistoryEntry, 'stage'>,
): RolloutDocument {
  const all = [...document.history, { ...entry, stage: document.stage }];
  const history = all.length > KEPT ? [...all.slice(0, 1), ...all.slice(1 - KEPT)] : all;
  return { ...document, history };
}
