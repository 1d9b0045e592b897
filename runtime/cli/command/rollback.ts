/** `weft rollback`: the generation before decides again on this node. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import { type CommandSpec, textOption } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const ROLLBACK_COMMAND: CommandSpec = {
  name: 'rollback',
  summary: 'let the generation before decide again',
  description:
    'One write, as activation is: nothing is fetched or loaded. What was left stays loaded until the next load,\nso that the same verb leads forward again. The highest version that a trust policy saw stays as it is.',
  example: '$ sudo weft rollback\ngeneration 2 is active again: shop sha256:4f0c… (it was 3)',
  arguments: [],
  options: [
    { flags: '--to <GENERATION>', description: 'the generation (default: the one before)' },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const text = textOption(input, 'to');
    if (text !== null && !/^[1-9]\d{0,8}$/.test(text)) {
      const help = '`weft status` lists the generations';
      const found = diagnostic('U004', `\`${text}\` is no number of a generation`, { help });
      return { exit: EXIT.usage, diagnostics: [found] };
    }
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { rollback } = await import('../../agent/rollback.js');
    const { withLock } = await import('../../agent/lock.js');
    const to = text === null ? null : Number(text);
    const { generation, from, record } = await withLock(paths, () =>
      rollback(kernel, paths, { to }),
    );
    const { bundle, manifest } = record;
    return {
      exit: EXIT.ok,
      document: { generation, from, bundle, name: manifest.name },
      text: `generation ${generation} is active again: ${manifest.name} ${bundle} (it was ${from})`,
    };
  },
};
