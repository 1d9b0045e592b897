/** What `weft rollout` does: looks at rollouts, and pauses, resumes or undoes them. */
import { diagnostic } from '../../compiler/diagnostic/index.js';
import { jsonLine } from '../agent/api/json.js';
import {
  type Admin,
  type Change,
  type RolloutDocument,
  shortDigest,
  type Watched,
} from '../rollout/index.js';
import { columns } from './columns.js';
import type { Input, Result } from './command-spec.js';
import type { Env } from './env.js';
import { EXIT } from './exit.js';
import { CliError } from './failure.js';
import { followRollout, rolloutResult } from './follow-rollout.js';
import { liveView } from './live-view.js';
import { progressIn, rolloutJson, rolloutLine, rolloutText, timeText } from './rollout-text.js';

/** The rollout that is named, or the only one. Throws CliError C114. */
function chosenRollout({ rollouts }: Watched, name: string | null): RolloutDocument {
  const found = name === null ? rollouts : rollouts.filter((d) => d.name === name);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const names = rollouts.map((d) => d.name).join(', ');
  const message =
    first === undefined
      ? `there is no rollout${name === null ? '' : ` of \`${name}\``}`
      : 'there are several rollouts';
  const help = names === '' ? '`weft deploy` begins one' : `name one of ${names}`;
  throw new CliError([diagnostic('C114', message, { help })], EXIT.findings);
}

function statusResult(watched: Watched, name: string | null): Result {
  const rollouts = name === null ? watched.rollouts : [chosenRollout(watched, name)];
  return {
    exit: EXIT.ok,
    document: { rollouts: rollouts.map((d) => rolloutJson(d, progressIn(d, watched))) },
    text:
      rollouts.length === 0
        ? 'nothing has been rolled out'
        : rollouts.map((d) => rolloutText(d, watched)).join('\n\n'),
  };
}

async function watchStatus(env: Env, input: Input, admin: Admin): Promise<Result> {
  const name = input.arguments[1] ?? null;
  const view = liveView(env.stdout);
  let isFirst = true;
  for await (const watched of admin.watch(env.signal)) {
    // A name that is not there at the begin is a mistake; one that goes later was there.
    if (isFirst && name !== null) chosenRollout(watched, name);
    isFirst = false;
    const shown = watched.rollouts.filter((d) => name === null || d.name === name);
    if (input.format === 'ndjson') {
      const rollouts = shown.map((d) => rolloutJson(d, progressIn(d, watched)));
      env.stdout.write(jsonLine({ time: timeText(watched.now), rollouts }));
      continue;
    }
    view.show(
      shown.map((d) => rolloutText(d, watched)).join('\n\n'),
      shown.map((d) => rolloutLine(d, watched)).join('\n'),
    );
  }
  return { exit: EXIT.interrupted };
}

async function history(admin: Admin, name: string | null): Promise<Result> {
  const current = chosenRollout(await admin.state(), name);
  const all = [current, ...(await admin.history(current.name))];
  const rows = all.flatMap((d) => [
    [`${d.name} ${d.number}`, d.state, `${shortDigest(d.before)} -> ${shortDigest(d.digest)}`],
    ...d.history.map((h) => [
      `  ${timeText(h.time)}`,
      h.what,
      `${h.text}${h.by === null ? '' : ` (${h.by})`}`,
    ]),
  ]);
  const rollouts = all.map(({ marks: _, ...document }) => document);
  return { exit: EXIT.ok, document: { rollouts }, text: columns(rows) };
}

/** Changes a rollout; where it is undone, the view goes on until its nodes are back. */
export async function changeRollout(
  env: Env,
  admin: Admin,
  { what, name }: { readonly what: Change; readonly name: string | null },
): Promise<Result> {
  const chosen = chosenRollout(await admin.state(), name);
  const document = await admin.change(chosen.name, what);
  if (what === 'undo') return { ...(await followRollout(env, admin, document)), exit: EXIT.ok };
  return { ...rolloutResult(document, await admin.state()), exit: EXIT.ok };
}

/** One answer, or under `--watch` one after the other. */
export async function rolloutRun(
  env: Env,
  input: Input,
  { admin, isWatch }: { readonly admin: Admin; readonly isWatch: boolean },
): Promise<Result> {
  const [action, name = null] = input.arguments;
  if (action === 'history') return history(admin, name);
  if (action !== 'status') return changeRollout(env, admin, { what: action as Change, name });
  return isWatch ? watchStatus(env, input, admin) : statusResult(await admin.state(), name);
}
