/** `weft enrol`: puts a workload's cgroup under the active policies, from outside the workload. */
import type { EnrolledAll } from '../../agent/enrol-all.js';
import type { EnrolmentRecord } from '../../agent/state.js';
import { cgroupOf, checkSubject } from '../cgroup-argument.js';
import { type CommandSpec, flagOption } from '../command-spec.js';
import { EXIT } from '../exit.js';

function describe({ cgroup, workload }: EnrolmentRecord): string {
  return `enrolled ${cgroup} as ${workload ?? 'no workload of the world'}`;
}

function describeAll(below: string, { enrolled, already, absent }: EnrolledAll): string {
  return [
    ...enrolled.map(describe),
    ...already.map((name) => `enrolled already: ${name}`),
    ...absent.map((name) => `not on this node (no cgroup): ${name}`),
    ...(absent.length === 0 ? [] : [`cgroups are looked for below ${below}`]),
  ].join('\n');
}

export const ENROL_COMMAND: CommandSpec = {
  name: 'enrol',
  summary: "attach the hooks to a workload's cgroup",
  description:
    'Connections made before are judged when another generation takes over. Where no generation is active, new ones are refused.\nWith `--all`, workloads whose cgroup is not on this node are named and left out.',
  example: '$ sudo weft enrol reviews.prod\nenrolled /sys/fs/cgroup/weft/reviews as reviews.prod',
  arguments: [{ syntax: '[WORKLOAD]', description: 'its name in the world of the loaded bundle' }],
  options: [
    { flags: '--cgroup <PATH>', description: 'a cgroup, as a path below the cgroup2 mount' },
    { flags: '--all', description: 'every workload of the world that this node has' },
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    checkSubject(input);
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { withLock } = await import('../../agent/lock.js');
    if (flagOption(input, 'all')) {
      const { enrolAll } = await import('../../agent/enrol-all.js');
      const done = await withLock(paths, () => enrolAll(kernel, paths));
      return { exit: EXIT.ok, document: { ...done }, text: describeAll(paths.cgroups, done) };
    }
    const { enrol } = await import('../../agent/enrol.js');
    const cgroup = await cgroupOf(paths, input);
    const done = await withLock(paths, () => enrol(kernel, paths, cgroup));
    return { exit: EXIT.ok, document: { ...done }, text: describe(done) };
  },
};
