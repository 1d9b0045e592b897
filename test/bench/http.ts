/**
 * http: requests through proxies as sidecars against none, client and server pinned alike, in namespaces of
 * their own over veth. docs/benchmarks.md says what each figure contains.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup2, type Kernel } from '../../runtime/kernel/index.js';
import { checkVariant } from './http/check-variant.js';
import { startGuardian } from './http/guardian.js';
import { CGROUP, makeNamespaces, NETNS } from './http/network.js';
import { type Peer, startPeers } from './http/peers.js';
import {
  type Bench,
  type BenchSet,
  CONNECTIONS,
  METRICS,
  type Metric,
  measureRounds,
  nameOf,
  type Sample,
} from './http/rounds.js';
import type { Reply } from './http/rules.js';
import { findTools, versionOf } from './http/tools.js';
import type { Variant } from './http/variant.js';
import { type BenchResult, judgePairs, medianOf } from './pairs.js';

const RT_LIMIT = '/proc/sys/kernel/sched_rt_runtime_us';
const ROUNDS = 11;
const QUICK_ROUNDS = 3;

const REPLIES_OF: Readonly<Record<Bench, readonly Reply[]>> = {
  veth: ['small', '64k'],
  'same-node': ['small', '64k', 'sendfile-100k'],
  redirected: ['small'],
};
const SETS: readonly BenchSet[] = (Object.keys(REPLIES_OF) as Bench[]).flatMap((bench) =>
  REPLIES_OF[bench].flatMap((reply) =>
    CONNECTIONS.map((connections) => ({ bench, reply, connections })),
  ),
);

function compare(
  set: BenchSet,
  samples: ReadonlyMap<Variant, readonly Sample[]>,
  ours: Variant,
): readonly BenchResult[] {
  const of = (variant: Variant, metric: Metric): number[] =>
    (samples.get(variant) ?? []).map((sample) => sample[metric]);
  return [...samples.keys()]
    .filter((variant) => variant !== ours)
    .flatMap((peer) =>
      (Object.keys(METRICS) as Metric[]).map((metric) =>
        judgePairs(
          {
            bench: nameOf(set),
            subject: ours.name,
            metric,
            unit: METRICS[metric],
            peer: peer.name,
            limit: null,
          },
          of(ours, metric),
          of(peer, metric),
        ),
      ),
    );
}

/** One line a variant, for the person who waits. */
function report(set: BenchSet, samples: ReadonlyMap<Variant, readonly Sample[]>): void {
  console.error(nameOf(set));
  for (const [variant, taken] of samples) {
    const figure = (metric: Metric): string =>
      medianOf(taken.map((sample) => sample[metric])).toFixed(metric.includes('cpu') ? 2 : 0);
    console.error(
      `  ${variant.name.padEnd(8)} ${figure('requests_per_second').padStart(7)}/s` +
        ` p50 ${figure('p50_us').padStart(5)} p99 ${figure('p99_us').padStart(6)} us; CPU s per million:` +
        ` client ${figure('client_cpu_seconds_per_million')} server ${figure('server_cpu_seconds_per_million')}` +
        ` mesh ${figure('mesh_cpu_seconds_per_million')}`,
    );
  }
}

export async function benchHttp(
  _kernel: Kernel,
  folder: string,
  { part, quick }: { readonly part: string; readonly quick: boolean },
): Promise<readonly BenchResult[]> {
  const tools = findTools();
  const cgroups = findCgroup2();
  if (cgroups === null) throw new Error('no cgroup2 is mounted');
  const versions = [
    `wrk ${versionOf(tools.wrk, '-v')}`,
    `nginx ${versionOf(tools.nginx, '-v')}`,
    `haproxy ${versionOf(tools.haproxy, '-v')}`,
    `envoy ${versionOf(tools.envoy, '--version')}`,
  ];
  console.error(`http: ${versions.join(', ')}`);
  const guardian = startGuardian({
    cgroup: join(cgroups, CGROUP),
    netns: Object.values(NETNS),
    folders: [folder],
    sysctls: [RT_LIMIT],
  });
  try {
    writeFileSync(RT_LIMIT, '-1');
    makeNamespaces();
    const peers = startPeers({ tools, cgroups, folder });
    for (const variant of peers.values()) await checkVariant(variant);
    const results: BenchResult[] = [];
    for (const set of SETS.filter((each) => nameOf(each).startsWith(part))) {
      const samples = await measureRounds(
        tools.wrk,
        [...peers.values()],
        set,
        quick ? QUICK_ROUNDS : ROUNDS,
      );
      report(set, samples);
      const ours = peers.get('none' satisfies Peer);
      if (ours !== undefined) results.push(...compare(set, samples, ours));
    }
    return results;
  } finally {
    await guardian.release();
  }
}
