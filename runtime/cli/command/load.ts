/** `weft load`: makes a bundle the deciding one on this node. */
import type { CommandSpec } from '../command-spec.js';
import { textOption } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const LOAD_COMMAND: CommandSpec = {
  name: 'load',
  summary: 'load a bundle into the kernel and activate it',
  description:
    'Activation is one write: until it, and on any failure, the running generation decides.\nThe generation before is kept. Cgroups are enrolled apart, with `weft enrol`.',
  example:
    '$ sudo weft load shop.weft --world shop/world.yaml\ngeneration 3 is active: shop sha256:4f0c…',
  arguments: [{ syntax: '<BUNDLE>', description: 'a bundle file, or a project folder' }],
  options: [
    { flags: '--world <FILE>', description: 'the world (default: that of the project folder)' },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const { openSubject, worldOf } = await import('../subject.js');
    const subject = await openSubject(env, input.arguments[0] ?? '.');
    const world = await worldOf(env, subject, textOption(input, 'world'));
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { load, noteError } = await import('../../agent/load.js');
    const { withLock } = await import('../../agent/lock.js');
    const { bundle, digest, sources } = subject;
    const loaded = await withLock(paths, () => {
      try {
        return load(kernel, paths, {
          bundle,
          digest,
          world,
          now: env.now(),
          clockOffset: env.clockOffset(),
        });
      } catch (error) {
        noteError(paths, error instanceof Error ? error.message : String(error), env.now());
        throw error;
      }
    });
    const { generation, previous } = loaded;
    return {
      exit: EXIT.ok,
      document: { generation, previous, bundle: digest, name: bundle.manifest.name },
      text: `generation ${generation} is active: ${bundle.manifest.name} ${digest}`,
      diagnostics: [...subject.diagnostics, ...loaded.diagnostics],
      sources,
    };
  },
};
