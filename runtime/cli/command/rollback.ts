/** `weft rollback`: the generation before decides again on this node. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { AdminPlace } from '../../rollout/index.js';
import { type CommandSpec, type Input, type Result, textOption } from '../command-spec.js';
import { CONTROL_OPTIONS, controlOf, withAdmin } from '../control-place.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

function usage(message: string, help: string | null = null): Result {
  return { exit: EXIT.usage, diagnostics: [diagnostic('U004', message, { help })] };
}

/** In a cluster: the rollout is undone. */
async function rollbackCluster(env: Env, input: Input, place: AdminPlace): Promise<Result> {
  if (textOption(input, 'to') !== null) {
    return usage(
      '`--to` names a generation of one node',
      'a rollout goes back to the bundle before',
    );
  }
  const name = input.arguments[0] ?? null;
  const { changeRollout } = await import('../rollout-run.js');
  return withAdmin(env, place, (admin) => changeRollout(env, admin, { what: 'undo', name }));
}

export const ROLLBACK_COMMAND: CommandSpec = {
  name: 'rollback',
  summary: 'let the generation before decide again',
  description:
    'One write, as activation is: nothing is fetched or loaded. What was left stays loaded until the next load,\nso that the same verb leads forward again. The highest version that a trust policy saw stays as it is.\nWith --control the nodes of the last rollout go back to the bundle before: `weft rollout undo`.',
  example: '$ sudo weft rollback\ngeneration 2 is active again: shop sha256:4f0c… (it was 3)',
  arguments: [{ syntax: '[NAME]', description: 'of the bundle, with --control' }],
  options: [
    { flags: '--to <GENERATION>', description: 'the generation (default: the one before)' },
    ...CONTROL_OPTIONS,
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const place = controlOf(env, input);
    if (place !== null) return rollbackCluster(env, input, place);
    if (input.arguments[0] !== undefined) {
      return usage('a name belongs to a rollout', 'give `--control HOST:PORT`, or leave it out');
    }
    const text = textOption(input, 'to');
    if (text !== null && !/^[1-9]\d{0,8}$/.test(text)) {
      const help = '`weft status` lists the generations';
      return usage(`\`${text}\` is no number of a generation`, help);
    }
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { rollback } = await import('../../agent/rollback.js');
    const { openLines } = await import('../../agent/settle-open.js');
    const { withLock } = await import('../../agent/lock.js');
    const to = text === null ? null : Number(text);
    const { generation, from, record, settled } = await withLock(paths, () =>
      rollback(kernel, paths, { to }),
    );
    const { bundle, manifest } = record;
    return {
      exit: EXIT.ok,
      document: { generation, from, bundle, name: manifest.name, open: settled.open },
      text: [
        `generation ${generation} is active again: ${manifest.name} ${bundle} (it was ${from})`,
        ...openLines(settled.open),
      ].join('\n'),
      diagnostics: settled.diagnostics,
    };
  },
};
