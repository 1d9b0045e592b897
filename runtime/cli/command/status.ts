/** `weft status`: what this node enforces, read back from the kernel's pins. */
import { diagnostic } from '../../../compiler/diagnostic/index.js';
import type { NodeStatus } from '../../agent/status.js';
import { columns } from '../columns.js';
import type { CommandSpec } from '../command-spec.js';
import { CONTROL_OPTIONS, controlOf, withAdmin } from '../control-place.js';
import { EXIT } from '../exit.js';
import { VERSION } from '../version.js';

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${columns(rows, '  ')}\n`;
}

/** The workload of an enrolled cgroup, else the cgroup's number. */
function nameOf({ enrolled }: NodeStatus, cgroup: string): string {
  return enrolled.find((e) => e.cgroupId === cgroup)?.workload ?? cgroup;
}

/** From the bundle's digest to the kernel's programs. */
function chainOf({ generations }: NodeStatus): readonly (readonly string[])[] {
  return generations
    .filter((g) => g.active)
    .flatMap((g) => [
      ['bundle', g.bundle ?? 'unknown', ''],
      ...(g.trust === null
        ? [['signed', 'nobody was asked for', '']]
        : g.trust.signers.map((s) => ['signed', s.name, `version ${s.version}, key ${s.keyId}`])),
      ...g.programs.map((p) => [
        'program',
        p.name,
        `tag ${p.tag}${p.kernelTag === p.tag ? '' : ' (not in the kernel)'}`,
      ]),
    ]);
}

function describe(status: NodeStatus): string {
  const head = [
    ['weft', VERSION],
    ['active', status.active === null ? 'nothing is loaded' : `generation ${status.active}`],
    ['lost events', String(status.lost)],
  ];
  if (status.open !== null) {
    const { generation, judged, ended, kept, problem } = status.open;
    const why = problem === null ? '' : ` (not all: ${problem})`;
    const what = `${judged} judged again by generation ${generation}: ${ended} ended, ${kept} kept${why}`;
    head.push(['open connections', what]);
  }
  if (status.lastError !== null) {
    head.push(['last error', `${status.lastError.time} ${status.lastError.message}`]);
  }
  const sites = status.policies.flatMap((policy) => [
    [policy.name, policy.mode, '', ''],
    ...policy.sites.map((s) => ['', s.rule, s.verdict, String(s.count)]),
  ]);
  return [
    `${columns(head)}\n`,
    section(
      'generations',
      status.generations.map((g) => [
        g.active ? '*' : '',
        String(g.generation),
        g.name ?? '',
        g.bundle ?? '',
        g.loadedAt ?? '',
      ]),
    ),
    section('chain of the active generation', chainOf(status)),
    section('policies', sites),
    section(
      'verdicts by reason',
      Object.entries(status.reasons).map(([reason, { allow, deny }]) => [
        reason,
        `${allow} allowed`,
        `${deny} denied`,
      ]),
    ),
    section(
      'pools',
      status.exchanges.pools.map(({ cgroup, endpoint, size, idle, misses }) => [
        nameOf(status, cgroup),
        endpoint,
        `${size} connections`,
        `${idle} idle`,
        `${misses} missed`,
      ]),
    ),
    section('exchanges', [
      ['on pooled connections', String(status.exchanges.leases)],
      ["in the agent's hands", String(status.exchanges.doors)],
    ]),
    section(
      'enrolled',
      status.enrolled.map((e) => [e.workload ?? '(no workload)', e.cgroup ?? '', e.cgroupId]),
    ),
  ].join('');
}

export const STATUS_COMMAND: CommandSpec = {
  name: 'status',
  summary: 'show what this node enforces',
  description:
    'Also the chain from the digest of the bundle, by who signed it, to the tags of the programs in the kernel,\nwhich are compared with what was loaded: where they differ, A028 and exit 5.\nWith --control all nodes of the cluster: bundles, generations, what is desired of them, verdicts, losses; exit 5\nwhere a node that is heard runs something else than is desired of it.',
  example:
    '$ sudo weft status\nweft         0.1.0\nactive       generation 3\n…\n\ngenerations\n  *  3  shop  sha256:4f0c…  2026-01-02T03:04:05.000Z',
  arguments: [],
  options: [...CONTROL_OPTIONS],
  formats: ['text', 'json'],
  async run(env, input) {
    const place = controlOf(env, input);
    if (place !== null) {
      const { clusterStatus } = await import('../cluster-status.js');
      return withAdmin(env, place, async (admin) => clusterStatus(await admin.state()));
    }
    const kernel = await env.openKernel();
    const paths = await env.nodePaths();
    const { nodeStatus } = await import('../../agent/status.js');
    const status = nodeStatus(kernel, paths);
    const diagnostics = status.generations
      .filter((g) => g.active)
      .flatMap((g) =>
        g.breaks.map((what) => diagnostic('A028', `generation ${g.generation}: ${what}`)),
      );
    return {
      exit: diagnostics.length > 0 ? EXIT.differences : EXIT.ok,
      document: { agent: VERSION, ...status },
      text: describe(status),
      diagnostics,
    };
  },
};
