/**
 * Measures one set (a reply, a number of connections) on several variants. A round takes SLICES short slices
 * of each, by turns, the order turned by one each time; a variant's sample is its fastest slice with all that
 * was measured in it. Variants are compared round by round: the machine's speed changes by a third from one
 * second to the next (other guests of the same cores), and its fast moments are what all variants share.
 */
import { setTimeout } from 'node:timers/promises';
import { bpfTimes, countBpfTime, totalSeconds } from './bpf-time.js';
import type { Version } from './network.js';
import { headers, REPLIES, type Reply } from './rules.js';
import type { Variant } from './variant.js';
import type { WeftVariant } from './weft.js';
import { runWrk } from './wrk.js';

export interface Ask {
  readonly reply: Reply;
  readonly connections: number;
  readonly version: Version; // v2 is what requests are routed away to
}

export const METRICS = {
  requests_per_second: '1/s',
  p50_us: 'us',
  p99_us: 'us',
  mesh_cpu_seconds_per_million: 's',
  client_cpu_seconds_per_million: 's',
  server_cpu_seconds_per_million: 's',
  total_cpu_seconds_per_million: 's',
} as const;
export type Metric = keyof typeof METRICS;
export type Sample = Readonly<Record<Metric | 'requests', number>>;

const SLICES = 3;
const SLICE_SECONDS = 0.2;
/** Between rounds everything else on the machine has its turn, which a slice's priority denies it. */
const PAUSE_MS = 300;

async function slice(wrk: string, variant: Variant, ask: Ask): Promise<Sample> {
  const { reply, connections, version } = ask;
  const url = `http://${variant.target(version)}${REPLIES[reply].path}`;
  const before = { server: variant.serverCpu(), mesh: variant.meshCpu() };
  const load = { url, headers: headers(version === 'v2'), connections, seconds: SLICE_SECONDS };
  const seen = await runWrk(wrk, variant.client, load);
  const perMillion = (cpu: number): number => (cpu * 1e6) / seen.requests;
  const client = perMillion(seen.cpuSeconds);
  const server = perMillion(variant.serverCpu() - before.server);
  const mesh = perMillion(variant.meshCpu() - before.mesh);
  return {
    requests: seen.requests,
    requests_per_second: seen.requests / seen.seconds,
    p50_us: seen.p50,
    p99_us: seen.p99,
    mesh_cpu_seconds_per_million: mesh,
    client_cpu_seconds_per_million: client,
    server_cpu_seconds_per_million: server,
    total_cpu_seconds_per_million: client + server + mesh,
  };
}

/** Samples of each variant, in the order of the rounds. */
export async function measureRounds(
  wrk: string,
  variants: readonly Variant[],
  ask: Ask,
  rounds: number,
): Promise<ReadonlyMap<Variant, readonly Sample[]>> {
  const samples = new Map<Variant, Sample[]>(variants.map((variant) => [variant, []]));
  for (const variant of variants) await slice(wrk, variant, ask);
  for (let round = 0; round < rounds; round++) {
    await setTimeout(PAUSE_MS);
    const best = new Map<Variant, Sample>();
    for (let turn = round; turn < round + SLICES; turn++) {
      const first = turn % variants.length;
      for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
        variant.mustLive();
        const taken = await slice(wrk, variant, ask);
        if (taken.requests_per_second > (best.get(variant)?.requests_per_second ?? 0))
          best.set(variant, taken);
      }
    }
    for (const [variant, sample] of best) samples.get(variant)?.push(sample);
  }
  return samples;
}

/**
 * CPU seconds of Weft per million requests, in slices of their own: what its BPF programs ran for, and its
 * agent. The programs run in the context of client and server, so their CPU time contains this too.
 */
export async function measureMeshCpu(
  wrk: string,
  variant: WeftVariant,
  ask: Ask,
  slices: number,
): Promise<readonly number[]> {
  const taken: number[] = [];
  countBpfTime(true);
  try {
    for (let i = 0; i < slices; i++) {
      const before = totalSeconds(bpfTimes(variant.programs));
      const sample = await slice(wrk, variant, ask);
      const bpf = totalSeconds(bpfTimes(variant.programs)) - before;
      taken.push(sample.mesh_cpu_seconds_per_million + (bpf * 1e6) / sample.requests);
    }
  } finally {
    countBpfTime(false);
  }
  return taken;
}
