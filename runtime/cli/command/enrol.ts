/** `weft enrol`: puts a workload's cgroup under the active policies, from outside the workload. */

import { cgroupOf } from '../cgroup-argument.js';
import type { CommandSpec } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const ENROL_COMMAND: CommandSpec = {
  name: 'enrol',
  summary: "attach the hooks to a workload's cgroup",
  description:
    'Connections made before are not judged. Where no generation is active, new ones are refused.',
  example: '$ sudo weft enrol reviews.prod\nenrolled /sys/fs/cgroup/weft/reviews as reviews.prod',
  arguments: [{ syntax: '[WORKLOAD]', description: 'its name in the world of the loaded bundle' }],
  options: [
    { flags: '--cgroup <PATH>', description: 'a cgroup, as a path below the cgroup2 mount' },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const cgroup = await cgroupOf(paths, input);
    const { enrol } = await import('../../agent/enrol.js');
    const { withLock } = await import('../../agent/lock.js');
    const done = await withLock(paths, () => enrol(kernel, paths, cgroup));
    const who = done.workload === null ? 'as no workload of the world' : `as ${done.workload}`;
    return { exit: EXIT.ok, document: { ...done }, text: `enrolled ${done.cgroup} ${who}` };
  },
};
