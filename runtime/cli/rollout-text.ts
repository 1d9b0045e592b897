/** A rollout in words: what it leads from and to, its stages, and how far it has come. */
import {
  durationText,
  type Progress,
  progressOf,
  type RolloutDocument,
  shortDigest,
  stageText,
  type Watched,
} from '../rollout/index.js';
import { columns } from './columns.js';

const SECOND_MS = 1000;
const MAX_NAMED = 5;

export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** How far it has come, from all that is known. */
export function progressIn(document: RolloutDocument, { nodes, now }: Watched): Progress {
  // What the leader makes of silence depends on how long it has listened; here only the node's own words count.
  return progressOf(document, { nodes, now, watchedSince: 0 });
}

function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function count(n: number): string {
  return n.toLocaleString('en');
}

/** The stage that it is in, in a few words; what is not there is left out. */
function stageDetail(document: RolloutDocument, progress: Progress): string {
  const stage = document.spec.stages[document.stage];
  const { shadow, verdicts, leftMs } = progress;
  const isShadow = stage?.kind === 'shadow';
  return [
    `${progress.taken} of ${progress.meant} nodes`,
    ...(isShadow ? [`${count(shadow.same)} same, ${count(shadow.different)} different`] : []),
    ...(isShadow && shadow.lost > 0 ? [`${count(shadow.lost)} lost`] : []),
    ...(isShadow || verdicts.allowed + verdicts.denied === 0
      ? []
      : [`${count(verdicts.allowed)} allowed, ${count(verdicts.denied)} denied`]),
    ...(leftMs === null
      ? []
      : [`${durationText(Math.ceil(leftMs / SECOND_MS) * SECOND_MS)} to hold`]),
  ].join(', ');
}

const PLACE_WORDS = ['done', 'now', ''] as const;

function placeWord({ state, stage }: RolloutDocument, i: number): string {
  if (state === 'undone') return i <= stage ? 'undone' : '';
  if (state === 'done' || i < stage) return PLACE_WORDS[0];
  return i === stage ? PLACE_WORDS[1] : PLACE_WORDS[2];
}

/** Several lines: the rollout, its stages, its nodes. */
export function rolloutText(document: RolloutDocument, watched: Watched): string {
  const progress = progressIn(document, watched);
  const { name, number, state, reason, digest, before, spec } = document;
  const isGoing = state === 'running' || state === 'paused';
  const stages = spec.stages.map((stage, i) => [
    placeWord(document, i),
    stageText(stage),
    isGoing && i === document.stage ? stageDetail(document, progress) : '',
  ]);
  const other = progress.onOther === 0 ? '' : `, ${progress.onOther} something else`;
  return [
    `${name} ${number}: ${state}${reason === null ? '' : `: ${reason}`}`,
    `  ${shortDigest(before)} -> ${shortDigest(digest)}`,
    columns(stages, '  '),
    `  nodes: ${progress.onNew} on the new bundle, ${progress.onOld} on the old one${other}`,
    ...(progress.refused.length === 0 ? [] : [`  refused by ${named(progress.refused)}`]),
    ...(progress.silent.length === 0 ? [] : [`  silent: ${named(progress.silent)}`]),
    ...(isGoing && progress.shut !== null && progress.shut !== reason
      ? [`  gate: ${progress.shut}`]
      : []),
  ].join('\n');
}

/** One line of what changes while it goes: the same line is not worth telling twice. */
export function rolloutLine(document: RolloutDocument, watched: Watched): string {
  const { name, state, spec, stage } = document;
  const progress = progressIn(document, watched);
  if (state === 'done' || state === 'undone') {
    return `${name}: ${state}, ${progress.onNew} nodes on the new bundle, ${progress.onOld} on the old one`;
  }
  const now = spec.stages[stage];
  const where = now === undefined ? '' : stageText(now);
  return `${name}: ${state === 'paused' ? 'paused in ' : ''}${where}, ${progress.taken} of ${progress.meant} nodes`;
}

/** What `-o json` says of it: what the store keeps, without the gates' own notes, and how far it has come. */
export function rolloutJson(
  { marks: _, ...document }: RolloutDocument,
  progress: Progress,
): Readonly<Record<string, unknown>> {
  return { ...document, progress };
}
