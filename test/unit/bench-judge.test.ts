/** Figures are judged by their quartiles: what straddles a limit is neither held nor missed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareSamples } from '../bench/http/compare.js';
import type { Peer } from '../bench/http/peers.js';
import type { Sample } from '../bench/http/rounds.js';
import { benchName, setsOf } from '../bench/http/sets.js';
import { judgePairs, type Limit } from '../bench/pairs.js';

const test = suite('bench: judge');

const ten = [10, 10, 10, 10, 10];
const held = (limit: Limit | null, ours: readonly number[]): string | null =>
  judgePairs({ bench: 'b', metric: 'm', unit: 'u', peer: 'p', limit }, ours, ten).held;

for (const { name, limit, ours, want } of [
  {
    name: 'above',
    limit: { kind: 'ratio-at-least', value: 0.9 },
    ours: [9, 9, 9, 9, 9],
    want: 'yes',
  },
  {
    name: 'below',
    limit: { kind: 'ratio-at-least', value: 0.9 },
    ours: [8, 8, 8, 8, 8],
    want: 'no',
  },
  {
    name: 'astride',
    limit: { kind: 'ratio-at-least', value: 0.9 },
    ours: [8, 8, 9, 10, 10],
    want: 'inconclusive',
  },
  {
    name: 'astride from above',
    limit: { kind: 'ratio-at-most', value: 0.9 },
    ours: [8, 8, 9, 10, 10],
    want: 'inconclusive',
  },
  {
    name: 'at most',
    limit: { kind: 'ratio-at-most', value: 0.9 },
    ours: [9, 9, 9, 9, 9],
    want: 'yes',
  },
  { name: 'no limit', limit: null, ours: ten, want: null },
] as const)
  test(name, () => assert.is(held(limit, ours), want));

const sample = (rate: number, p50: number, mesh: number): Sample => ({
  requests: 1000,
  requests_per_second: rate,
  p50_us: p50,
  p99_us: p50 * 2,
  mesh_cpu_seconds_per_million: mesh,
  client_cpu_seconds_per_million: 5,
  server_cpu_seconds_per_million: 5,
  total_cpu_seconds_per_million: 10 + mesh,
});

test('what a mesh adds is above no mesh, round by round', () => {
  const peers = new Map<Peer, readonly Sample[]>([
    ['none', [sample(100, 20, 0), sample(50, 40, 0)]],
    ['envoy-2', [sample(10, 220, 90), sample(5, 240, 90)]],
  ]);
  const [set] = setsOf('http/veth/16');
  assert.ok(set);
  const ours = [sample(95, 30, 1), sample(48, 50, 1)];
  const results = compareSamples(set, 'veth', ours, peers);
  const find = (metric: string, peer: Peer): (typeof results)[number] | undefined =>
    results.find((r) => r.metric === metric && r.peer === peer);
  assert.is(find('added_p50_us', 'envoy-2')?.ratio, 0.05);
  assert.is(find('added_p50_us', 'envoy-2')?.held, 'yes');
  assert.is(find('requests_per_second', 'none')?.held, 'yes');
  assert.is(find('requests_per_second', 'envoy-2')?.held, null);
  assert.is(find('mesh_cpu_seconds_per_million', 'none'), undefined);
});

test('a part is what begins so, with only its own benches', () => {
  assert.equal(
    setsOf('http/same-node/1/').map(({ benches, reply }) => [...benches, reply]),
    [
      ['same-node', '64k'],
      ['same-node', 'sendfile-100k'],
    ],
  );
  assert.is(setsOf('http').length, 12);
  assert.is(setsOf('http/nothing').length, 0);
  assert.is(benchName('redirected', 'small', 64), 'http/redirected/64');
});

test.run();
