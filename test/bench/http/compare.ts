/** From samples to figures: ours against each peer, with the limits of docs/benchmarks/http.md. */
import { type BenchResult, judgePairs, type Limit } from '../pairs.js';
import type { Peer } from './peers.js';
import { METRICS, type Metric, type Sample } from './rounds.js';
import type { Reply } from './rules.js';
import { type Bench, type BenchSet, benchName } from './sets.js';
import { NO_MESH } from './variant.js';

const atLeast = (value: number): Limit => ({ kind: 'ratio-at-least', value });
const atMost = (value: number): Limit => ({ kind: 'ratio-at-most', value });

function rateLimit(bench: Bench, reply: Reply, peer: Peer): Limit | null {
  if (bench === 'redirected') return peer === 'envoy-1' ? atLeast(2) : null;
  if (peer !== 'none') return null;
  if (bench === 'veth') return atLeast(0.9);
  if (reply === 'small') return atLeast(1.4);
  return reply === 'sendfile-100k' ? atLeast(1) : null;
}

/** What must hold; most figures are only reported. */
function limitOf(metric: Metric, bench: Bench, reply: Reply, peer: Peer): Limit | null {
  if (metric === 'requests_per_second') return rateLimit(bench, reply, peer);
  if (metric === 'p99_us') return bench === 'veth' && peer === 'none' ? atMost(1.2) : null;
  if (metric === 'mesh_cpu_seconds_per_million') return peer === 'envoy-2' ? atMost(0.2) : null;
  return null;
}

/** What a mesh adds to the same without one, as ours against envoy-2. */
const ADDED = [
  { metric: 'added_p50_us', of: 'p50_us', unit: 'us', limit: atMost(0.1) },
  {
    metric: 'added_cpu_seconds_per_million',
    of: 'total_cpu_seconds_per_million',
    unit: 's',
    limit: null,
  },
] as const;

/** Figures of one bench of a set: each metric against each peer, and what is added. */
export function compareSamples(
  set: BenchSet,
  bench: Bench,
  ours: readonly Sample[],
  peers: ReadonlyMap<Peer, readonly Sample[]>,
): readonly BenchResult[] {
  const name = benchName(bench, set.reply, set.connections);
  const of = (samples: readonly Sample[], metric: Metric): number[] =>
    samples.map((sample) => sample[metric]);
  const results = [...peers].flatMap(([peer, samples]) =>
    (Object.keys(METRICS) as Metric[])
      // Nothing is divided by the CPU of no mesh.
      .filter((metric) => !NO_MESH.has(peer) || metric !== 'mesh_cpu_seconds_per_million')
      .map((metric) => {
        const limit = limitOf(metric, bench, set.reply, peer);
        const figure = { bench: name, metric, unit: METRICS[metric], peer, limit };
        return judgePairs(figure, of(ours, metric), of(samples, metric));
      }),
  );
  const none = peers.get('none') ?? [];
  const added = ADDED.map(({ metric, of: plain, unit, limit }) => {
    const over = (samples: readonly Sample[]): number[] =>
      of(samples, plain).map((value, i) => value - (none[i]?.[plain] ?? Number.NaN));
    const figure = { bench: name, metric, unit, peer: 'envoy-2', limit };
    return judgePairs(figure, over(ours), over(peers.get('envoy-2') ?? []));
  });
  return [...results, ...added];
}
