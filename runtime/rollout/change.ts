/** What an operator may do to a rollout that has begun. */
import { type Changed, refuse } from './begin.js';
import { type Observed, shutGate } from './gates.js';
import { note } from './note.js';
import { undone } from './step.js';
import type { RolloutDocument } from './types.js';

export const CHANGES = ['pause', 'resume', 'undo'] as const;
export type Change = (typeof CHANGES)[number];

export interface ChangeInput extends Observed {
  readonly by: string;
}

function wrongState({ name, number, state }: RolloutDocument, what: Change): Changed {
  return refuse(
    'C108',
    `rollout ${number} of \`${name}\` is ${state}: there is nothing to ${what}`,
  );
}

function pause(document: RolloutDocument, { now, by }: ChangeInput): Changed {
  if (document.state !== 'running') return wrongState(document, 'pause');
  const reason = `paused by ${by}`;
  const paused = { ...document, state: 'paused', pausedBy: 'operator', reason } as const;
  return { ok: true, document: note(paused, { time: now, what: 'pause', by, text: reason }) };
}

function resume(document: RolloutDocument, input: ChangeInput): Changed {
  if (document.state !== 'paused') return wrongState(document, 'resume');
  const found = shutGate(document, input);
  if (found !== null) return refuse('C109', found);
  // Resuming behind a stage answers the plan's own pause.
  const released = document.released || document.pausedBy === 'plan';
  const going = { ...document, state: 'running', pausedBy: null, reason: null, released } as const;
  const { now, by } = input;
  return { ok: true, document: note(going, { time: now, what: 'resume', by, text: 'resumed' }) };
}

function undo(document: RolloutDocument, { now, by }: ChangeInput): Changed {
  if (document.state === 'undone') return wrongState(document, 'undo');
  if (document.before === null) {
    return refuse('C110', `nothing ran on the nodes of \`${document.name}\` before`);
  }
  return { ok: true, document: undone(document, `undone by ${by}`, { now, by }) };
}

const BY_NAME: Readonly<
  Record<Change, (document: RolloutDocument, input: ChangeInput) => Changed>
> = { pause, resume, undo };

/** Pauses, resumes or undoes a rollout, or says why it cannot. */
export function change(document: RolloutDocument, what: Change, input: ChangeInput): Changed {
  return BY_NAME[what](document, input);
}
