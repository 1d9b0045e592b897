/**
 * Measures one set (a bench, a reply, a number of connections) on several variants: rounds of one short slice
 * each, the order turned by one every round, so that every variant meets every predecessor and the same
 * minutes of the machine. Variants are compared round by round.
 */

import { setTimeout } from 'node:timers/promises';
import { headers, REPLIES, type Reply } from './rules.js';
import type { Variant } from './variant.js';
import { runWrk } from './wrk.js';

export const BENCHES = ['veth', 'same-node', 'redirected'] as const;
export type Bench = (typeof BENCHES)[number];
export const CONNECTIONS = [1, 16, 64] as const;

export interface BenchSet {
  readonly bench: Bench;
  readonly reply: Reply;
  readonly connections: number;
}

export const METRICS = {
  requests_per_second: '1/s',
  p50_us: 'us',
  p99_us: 'us',
  mesh_cpu_seconds_per_million: 's',
  client_cpu_seconds_per_million: 's',
  server_cpu_seconds_per_million: 's',
} as const;
export type Metric = keyof typeof METRICS;
export type Sample = Readonly<Record<Metric, number>>;

const SLICE_SECONDS = 0.3;
const WARM_SECONDS = 0.2;
/** Between rounds everything else on the machine has its turn, which a slice's priority denies it. */
const PAUSE_MS = 300;

/** `http/veth/16`; a reply other than the small one is named at the end. */
export function nameOf({ bench, reply, connections }: BenchSet): string {
  return `http/${bench}/${connections}${reply === 'small' ? '' : `/${reply}`}`;
}

async function sample(
  wrk: string,
  variant: Variant,
  { bench, reply, connections }: BenchSet,
  seconds: number,
): Promise<Sample> {
  const canary = bench === 'redirected';
  const url = `http://${variant.target(canary ? 'v2' : 'v1')}${REPLIES[reply].path}`;
  const before = { server: variant.serverCpu(), mesh: variant.meshCpu() };
  const load = { url, headers: headers(canary), connections, seconds };
  const slice = await runWrk(wrk, variant.client, load);
  const perMillion = (cpu: number): number => (cpu * 1e6) / slice.requests;
  return {
    requests_per_second: slice.requests / slice.seconds,
    p50_us: slice.p50,
    p99_us: slice.p99,
    mesh_cpu_seconds_per_million: perMillion(variant.meshCpu() - before.mesh),
    client_cpu_seconds_per_million: perMillion(slice.cpuSeconds),
    server_cpu_seconds_per_million: perMillion(variant.serverCpu() - before.server),
  };
}

/** Samples of each variant, in the order of the rounds. */
export async function measureRounds(
  wrk: string,
  variants: readonly Variant[],
  set: BenchSet,
  rounds: number,
): Promise<ReadonlyMap<Variant, readonly Sample[]>> {
  const samples = new Map<Variant, Sample[]>(variants.map((variant) => [variant, []]));
  for (const variant of variants) await sample(wrk, variant, set, WARM_SECONDS);
  for (let round = 0; round < rounds; round++) {
    await setTimeout(PAUSE_MS);
    const first = round % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      variant.mustLive();
      samples.get(variant)?.push(await sample(wrk, variant, set, SLICE_SECONDS));
    }
  }
  return samples;
}
