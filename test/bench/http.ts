/**
 * http: requests through Weft and through proxies as sidecars, against none, client and server pinned alike, in
 * namespaces of their own over veth. docs/benchmarks/http.md says what each figure contains.
 */
import { join } from 'node:path';
import { findCgroup2, type Kernel } from '../../runtime/kernel/index.js';
import { BPF_STATS } from './http/bpf-time.js';
import { checkVariant } from './http/check-variant.js';
import { compareSamples } from './http/compare.js';
import { startGuardian } from './http/guardian.js';
import { CGROUP, makeNamespaces, NETNS } from './http/network.js';
import { type Peer, startPeers } from './http/peers.js';
import { type Metric, measureMeshCpu, measureRounds, type Sample } from './http/rounds.js';
import { type BenchSet, benchName, setsOf } from './http/sets.js';
import { findTools, type Tools, versionOf } from './http/tools.js';
import type { Variant } from './http/variant.js';
import { measureWakeup, WAKEUP } from './http/wakeup.js';
import { PINS, startWeft, type WeftVariants } from './http/weft.js';
import { type BenchResult, medianOf } from './pairs.js';

const ROUNDS = 11;
const QUICK_ROUNDS = 3;

export interface HttpOptions {
  /** Only benches whose names begin so. */
  readonly part: string;
  /** Fewer rounds than a figure needs, so nothing is judged. */
  readonly quick: boolean;
}

/** One line a variant, for the person who waits. */
function report(name: string, samples: readonly Sample[]): void {
  const figure = (metric: Metric): string =>
    medianOf(samples.map((sample) => sample[metric])).toFixed(metric.includes('cpu') ? 2 : 0);
  console.error(
    `  ${name.padEnd(15)} ${figure('requests_per_second').padStart(7)}/s` +
      ` p50 ${figure('p50_us').padStart(5)} p99 ${figure('p99_us').padStart(6)} us; CPU s per million:` +
      ` client ${figure('client_cpu_seconds_per_million')} server ${figure('server_cpu_seconds_per_million')}` +
      ` mesh ${figure('mesh_cpu_seconds_per_million')}`,
  );
}

async function measureSet(
  wrk: string,
  set: BenchSet,
  peers: ReadonlyMap<Peer, Variant>,
  weft: WeftVariants,
  rounds: number,
): Promise<readonly BenchResult[]> {
  const ours = set.benches.map((bench) => ({ bench, variant: weft[bench] }));
  const samples = await measureRounds(
    wrk,
    [...new Set(ours.map(({ variant }) => variant)), ...peers.values()],
    set,
    rounds,
  );
  const of = (variant: Variant): readonly Sample[] => samples.get(variant) ?? [];
  const theirs = new Map([...peers].map(([name, variant]) => [name, of(variant)]));
  console.error(benchName('veth', set.reply, set.connections).replace('veth', set.benches.join()));
  for (const [name, taken] of theirs) report(name, taken);
  const results: BenchResult[] = [];
  for (const { bench, variant } of ours) {
    const mesh = await measureMeshCpu(wrk, variant, set, rounds);
    const taken = of(variant).map((sample, i) => ({
      ...sample,
      mesh_cpu_seconds_per_million: mesh[i] ?? Number.NaN,
    }));
    report(`weft ${bench}`, taken);
    results.push(...compareSamples(set, bench, taken, theirs));
  }
  return results;
}

function tell(tools: Tools): void {
  const versions = [
    `wrk ${versionOf(tools.wrk, '-v')}`,
    `nginx ${versionOf(tools.nginx, '-v')}`,
    `haproxy ${versionOf(tools.haproxy, '-v')}`,
    `envoy ${versionOf(tools.envoy, '--version')}`,
  ];
  console.error(`http: ${versions.join(', ')}`);
}

export async function benchHttp(
  kernel: Kernel,
  folder: string,
  { part, quick }: HttpOptions,
): Promise<readonly BenchResult[]> {
  const tools = findTools();
  const cgroups = findCgroup2();
  if (cgroups === null) throw new Error('no cgroup2 is mounted');
  tell(tools);
  const guardian = startGuardian({
    cgroup: join(cgroups, CGROUP),
    netns: Object.values(NETNS),
    folders: [folder, PINS],
    sysctls: [BPF_STATS],
  });
  try {
    makeNamespaces();
    const where = { tools, cgroups, folder };
    const peers = startPeers(kernel, where);
    const weft = await startWeft(where);
    for (const variant of new Set([...peers.values(), ...Object.values(weft)]))
      await checkVariant(variant);
    const rounds = quick ? QUICK_ROUNDS : ROUNDS;
    const results: BenchResult[] = [];
    if (WAKEUP.startsWith(part)) results.push(measureWakeup(folder, rounds));
    for (const set of setsOf(part))
      results.push(...(await measureSet(tools.wrk, set, peers, weft, rounds)));
    return quick ? results.map((result) => ({ ...result, held: null })) : results;
  } finally {
    await guardian.release();
  }
}
