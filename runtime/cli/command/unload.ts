/** `weft unload`: removes every trace of Weft from this node's kernel. */
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const UNLOAD_COMMAND: CommandSpec = {
  name: 'unload',
  summary: 'detach and remove everything from the kernel',
  description: 'Enrolled workloads are then judged by nobody. Harmless where nothing is loaded.',
  example: '$ sudo weft unload\nremoved 2 generations, 6 enrolled cgroups',
  arguments: [],
  options: [],
  formats: ['text', 'json'],
  async run(env) {
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { unload } = await import('../../agent/unload.js');
    const { withLock } = await import('../../agent/lock.js');
    const { generations, enrolled } = await withLock(paths, () => unload(kernel, paths));
    const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
    return {
      exit: EXIT.ok,
      document: { generations, enrolled },
      text: `removed ${plural(generations, 'generation')}, ${plural(enrolled, 'enrolled cgroup')}`,
    };
  },
};
