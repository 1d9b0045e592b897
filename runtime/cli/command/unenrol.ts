/** `weft unenrol`: takes a workload's cgroup out of the mesh. */
import { cgroupOf, checkSubject } from '../cgroup-argument.js';
import { type CommandSpec, flagOption } from '../command-spec.js';
import { EXIT } from '../exit.js';

export const UNENROL_COMMAND: CommandSpec = {
  name: 'unenrol',
  summary: "detach the hooks from a workload's cgroup",
  example: '$ sudo weft unenrol reviews.prod\nno longer enrolled: /sys/fs/cgroup/weft/reviews',
  arguments: [{ syntax: '[WORKLOAD]', description: 'its name in the world of the loaded bundle' }],
  options: [
    {
      flags: '--cgroup <PATH>',
      description: 'a cgroup, as a path below the cgroup2 mount, or its id',
    },
    { flags: '--all', description: 'every enrolled cgroup' },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    checkSubject(input);
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { withLock } = await import('../../agent/lock.js');
    if (flagOption(input, 'all')) {
      const { unenrolAll } = await import('../../agent/enrol-all.js');
      const removed = await withLock(paths, () => unenrolAll(kernel, paths));
      const text = removed.map((r) => `no longer enrolled: ${r.cgroup}`).join('\n');
      return { exit: EXIT.ok, document: { removed }, text };
    }
    const { unenrol } = await import('../../agent/enrol.js');
    const cgroup = await cgroupOf(paths, input);
    const done = await withLock(paths, () => unenrol(kernel, paths, cgroup));
    return { exit: EXIT.ok, document: { ...done }, text: `no longer enrolled: ${done.cgroup}` };
  },
};
