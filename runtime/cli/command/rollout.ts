/** `weft rollout`: looks at rollouts, and pauses, resumes or undoes them. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { jsonLine } from '../../agent/api/json.js';
import {
  type Admin,
  type Change,
  type RolloutDocument,
  shortDigest,
  type Watched,
} from '../../rollout/index.js';
import { columns } from '../columns.js';
import { type CommandSpec, flagOption, type Input, type Result } from '../command-spec.js';
import { CONTROL_OPTIONS, neededControl, withAdmin } from '../control-place.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { followRollout, rolloutResult } from '../follow-rollout.js';
import { liveView } from '../live-view.js';
import { progressIn, rolloutJson, rolloutLine, rolloutText, timeText } from '../rollout-text.js';

const ACTIONS = ['status', 'pause', 'resume', 'undo', 'history'] as const;
type Action = (typeof ACTIONS)[number];

/** The rollout that is named, or the only one. Throws CliError C114. */
export function chosenRollout({ rollouts }: Watched, name: string | null): RolloutDocument {
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
  for await (const watched of admin.watch(env.signal)) {
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

export const ROLLOUT_COMMAND: CommandSpec = {
  name: 'rollout',
  summary: 'look at rollouts, pause, resume or undo them',
  description:
    'status shows how far each has come, --watch goes on showing it; pause and resume stop it and let it go on; undo leads\nits nodes back to the bundle before, also after its end; history lists what happened. NAME may be left out where\nthere is one. What may not be done now is refused with its reason (exit 3).',
  example:
    '$ weft rollout status --control 10.0.0.1:7443\nshop 3: running\n  sha256:aa12bc34de56… -> sha256:bb12bc34de56…\n  done  shadow\n  now   canary 10 %  1 of 1 nodes, 40s to hold\n        all\n  nodes: 1 on the new bundle, 7 on the old one',
  arguments: [
    { syntax: '<ACTION>', description: 'what to do', choices: [...ACTIONS] },
    { syntax: '[NAME]', description: 'of the bundle' },
  ],
  options: [
    { flags: '--watch', description: 'with status: go on until interrupted' },
    ...CONTROL_OPTIONS,
  ],
  formats: ['text', 'json', 'ndjson'],
  async run(env, input) {
    const place = neededControl(env, input);
    const action = input.arguments[0] as Action;
    const name = input.arguments[1] ?? null;
    const isWatch = flagOption(input, 'watch');
    const isWrong = isWatch
      ? action !== 'status' || input.format === 'json'
      : input.format === 'ndjson';
    if (isWrong) {
      const message = '`--watch` goes with `status`, and prints text or ndjson';
      throw new CliError([diagnostic('U004', message)], EXIT.usage);
    }
    return withAdmin(env, place, async (admin) => {
      if (action === 'history') return history(admin, name);
      if (action !== 'status') return changeRollout(env, admin, { what: action, name });
      return isWatch ? watchStatus(env, input, admin) : statusResult(await admin.state(), name);
    });
  },
};
