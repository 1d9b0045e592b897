/** `weft rollout`: looks at rollouts, and pauses, resumes or undoes them. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { type CommandSpec, flagOption } from '../command-spec.js';
import { CONTROL_OPTIONS, neededControl, withAdmin } from '../control-place.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';

const ACTIONS = ['status', 'pause', 'resume', 'undo', 'history'] as const;

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
    const [action] = input.arguments;
    const isWatch = flagOption(input, 'watch');
    const isWrong = isWatch
      ? action !== 'status' || input.format === 'json'
      : input.format === 'ndjson';
    if (isWrong) {
      const message = '`--watch` goes with `status`, and prints text or ndjson';
      throw new CliError([diagnostic('U004', message)], EXIT.usage);
    }
    const { rolloutRun } = await import('../rollout-run.js');
    return withAdmin(env, place, (admin) => rolloutRun(env, input, { admin, isWatch }));
  },
};
