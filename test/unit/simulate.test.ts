import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECTION, FIRST_SYMBOL } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { readWorld, type World } from '../../runtime/discovery/index.js';
import {
  createSimulator,
  isSimulateError,
  type Outcome,
  RECORD,
  readRecord,
  readScenario,
  runScenario,
  type Simulator,
} from '../../runtime/simulate/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import {
  clusterRoute,
  manifestOf,
  policyEntry,
  verdictSite,
  wat,
  watString,
} from '../support/wat-bundle.js';

const NAMESPACE = { side: 'source', attribute: 'namespace', key: null, slot: 0 } as const;

/** Allows the namespace `prod` (site 1), denies others (site 2). */
const ISOLATION = wat(`(module
  (import "weft" "attribute" (func $attribute (param i32 i32) (result i32)))
  (import "weft" "symbol" (func $symbol (param i32) (result i32)))
  (import "weft" "out_of_fuel" (func $out))
  (memory (export "memory") 1)
  ${watString(1028, 'prod')}
  (global $fuel (export "fuel") (mut i32) (i32.const 100))
  (func (export "authorizeConnection") (param i32) (result i32)
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (select (i32.const 0x101) (i32.const 0x202)
      (i32.eq (call $attribute (i32.const 0) (i32.const 0)) (call $symbol (i32.const 1028))))))`);

/** v2 for the first tenth of draws (site 4), else v1 (site 3). */
const SPLIT = wat(`(module
  (import "weft" "random" (func $random (result i32)))
  (memory (export "memory") 1)
  (func (export "routeConnection") (param i32) (result i32)
    (select (i32.const 0x40002) (i32.const 0x30001)
      (i32.lt_u (i32.rem_u (call $random) (i32.const 100)) (i32.const 10)))))`);

const TRAP = wat(`(module
  (func (export "authorizeConnection") (param i32) (result i32) (unreachable)))`);

const FUEL = wat(`(module
  (import "weft" "out_of_fuel" (func $out))
  (global $fuel (export "fuel") (mut i32) (i32.const 0))
  (func (export "authorizeConnection") (param i32) (result i32)
    (loop $again
      (if (i32.eqz (global.get $fuel)) (then (call $out) (unreachable)))
      (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
      (br $again))
    (unreachable)))`);

const SPIN = wat(`(module
  (func (export "authorizeConnection") (param i32) (result i32)
    (loop $again (br $again)) (unreachable)))`);

const BASE: Manifest = manifestOf({
  policies: [
    policyEntry(0, 'isolation', {}),
    policyEntry(1, 'split', {
      attach: [{ service: 'reviews.prod' }],
      exports: ['routeConnection'],
      canAllow: false,
      routes: 2,
    }),
  ],
  routes: [clusterRoute('reviews/v1', 1), clusterRoute('reviews.prod/v2', 1)],
  sites: [
    verdictSite(1, 'policies/isolation.ts', 'allow'),
    verdictSite(2, 'policies/isolation.ts', 'deny'),
    { site: 3, kind: 'route', verdict: null, file: 'policies/split.ts', line: 30, column: 3 },
    { site: 4, kind: 'route', verdict: null, file: 'policies/split.ts', line: 40, column: 3 },
  ],
  symbols: ['prod'],
  attributes: [NAMESPACE],
});
const WASM = new Map([
  ['isolation', ISOLATION],
  ['split', SPLIT],
]);

function bookinfo(): World {
  const { world, diagnostics } = readWorld(BOOKINFO, 'world.yaml');
  if (world === null) throw new Error(JSON.stringify(diagnostics));
  return world;
}

async function withSimulator<T>(
  bundle: { manifest: Manifest; wasm: Map<string, Uint8Array> },
  use: (simulator: Simulator) => Promise<T>,
  deadlineMs?: number,
): Promise<T> {
  const options = deadlineMs === undefined ? {} : { deadlineMs };
  const simulator = await createSimulator(bundle, { world: bookinfo(), ...options });
  try {
    return await use(simulator);
  } finally {
    await simulator[Symbol.asyncDispose]();
  }
}

async function one(simulator: Simulator, body: string): Promise<Outcome> {
  const read = readScenario(`cases: [{ id: a, ${body} }]`, 's.yaml', simulator.world);
  if (read.scenario === null) throw new Error(JSON.stringify(read.diagnostics));
  const { results } = await runScenario(simulator, read.scenario);
  const [result] = results;
  if (result === undefined) throw new Error('no result');
  return result;
}

/** One policy on everything in prod. */
function single(name: string, wasm: Uint8Array, parts: Partial<Manifest> = {}) {
  const policies = [policyEntry(0, name, {})];
  return { manifest: manifestOf({ policies, ...parts }), wasm: new Map([[name, wasm]]) };
}

const path = suite('simulate: path');

path('allows inside the namespace, with route, endpoint and site', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const got = await one(
      simulator,
      'random: 5, connect: { from: productpage-v1.prod, to: "reviews.prod:80" }',
    );
    assert.is(got.verdict, 'allow');
    assert.is(got.cluster, 'reviews/v2');
    assert.is(got.endpoint, '10.1.0.5:9080');
    assert.is(got.rule, 'isolation.ts:10');
    assert.is(got.route, 'split.ts:40');
    assert.is(got.reason, 'policy');
    assert.is(got.fuel, 2);
  }),
);

path('takes the other cluster for the next draw outside the share', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const got = await one(
      simulator,
      'random: 10, connect: { from: productpage-v1.prod, to: "reviews.prod:80", family: 6 }',
    );
    assert.is(got.cluster, 'reviews/v1');
    assert.is(got.endpoint, '[fd00:1::4]:9080');
  }),
);

path('denies another namespace at the client', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const got = await one(simulator, 'connect: { from: intruder.dev, to: "ratings.prod:9080" }');
    assert.is(got.verdict, 'deny');
    assert.is(got.side, 'client');
    assert.is(got.rule, 'isolation.ts:20');
    assert.is(got.line, 20);
  }),
);

path('denies an outsider at the server, with absent attributes', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const got = await one(simulator, 'connect: { from: 203.0.113.9, to: "10.1.0.6:9080" }');
    assert.is(got.verdict, 'deny');
    assert.is(got.side, 'server');
    assert.is(got.rule, 'isolation.ts:20');
  }),
);

path('asks no policy about a destination outside: the default holds', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const got = await one(simulator, 'connect: { from: reviews-v1.prod, to: "198.51.100.1:443" }');
    assert.is(got.verdict, 'deny');
    assert.is(got.reason, 'default');
    assert.is(got.rule, 'default');
  }),
);

path('has no endpoint where all are unhealthy', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const connect = 'connect: { from: productpage-v1.prod, to: "ratings.prod:9080" }';
    const sick = await one(simulator, `healthy: { ratings-v1.prod: false }, ${connect}`);
    assert.is(sick.verdict, 'deny');
    assert.is(sick.reason, 'noEndpoint');
    assert.is(sick.cluster, 'ratings/v1');
    const well = await one(simulator, connect);
    assert.is(well.verdict, 'allow');
  }),
);

path('compares what a case expects', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const text = `seed: 7
cases:
  - id: right
    connect: { from: reviews-v1.prod, to: "ratings.prod:9080" }
    expect: { verdict: allow, cluster: ratings/v1, rule: "isolation.ts:10" }
  - id: wrong
    connect: { from: reviews-v1.prod, to: "ratings.prod:9080" }
    expect: { verdict: deny, endpoint: "10.1.0.6:9080", rule: "isolation.ts:20" }
`;
    const { scenario } = readScenario(text, 's.yaml', simulator.world);
    assert.ok(scenario);
    const { results, summary } = await runScenario(simulator, scenario);
    assert.equal(summary, { passed: 1, failed: 1 });
    assert.equal(results[1]?.differences, [
      'verdict: expected deny, got allow',
      'rule: expected isolation.ts:20, got isolation.ts:10',
    ]);
  }),
);
path.run();

const stops = suite('simulate: stops');
const CONNECT = 'connect: { from: reviews-v1.prod, to: "ratings-v1.prod:9080" }';

stops('a trap is the declared outcome', async () => {
  const deny = await withSimulator(single('trap', TRAP), (s) => one(s, CONNECT));
  assert.is(deny.verdict, 'deny');
  assert.is(deny.reason, 'trap');
  assert.is(deny.rule, 'trap');
  assert.match(deny.trap ?? '', /policy `trap`: unreachable/);
  const failure = { ...BASE.failure, trap: 'allow' } as const;
  const allow = await withSimulator(single('trap', TRAP, { failure }), (s) => one(s, CONNECT));
  assert.is(allow.verdict, 'allow');
  assert.is(allow.reason, 'trap');
});

stops('running out of fuel is its own reason and uses all of it', async () => {
  const got = await withSimulator(single('fuel', FUEL), (s) => one(s, CONNECT));
  assert.is(got.verdict, 'deny');
  assert.is(got.reason, 'fuel');
  assert.is(got.fuel, 100);
});

stops('a deadline (S002) ends one decision, and the simulator goes on', async () => {
  await withSimulator(
    single('spin', SPIN),
    async (simulator) => {
      const got = await one(simulator, CONNECT);
      assert.is(got.verdict, 'deny');
      assert.match(got.trap ?? '', /deadline of 500 ms/);
      const outside = await one(simulator, 'connect: { from: reviews-v1.prod, to: "192.0.2.1:1" }');
      assert.is(outside.reason, 'default');
    },
    500,
  );
});

stops('a module that does not start is a typed error (S001)', async () => {
  try {
    await withSimulator(single('bad', Uint8Array.of(0, 1, 2)), async () => undefined);
    assert.unreachable();
  } catch (error) {
    assert.ok(isSimulateError(error));
    assert.is(error.code, 'SIMULATE_MODULE');
  }
});
stops.run();

const batch = suite('simulate: batch');
batch('answers structs in one crossing, chunk by chunk', () =>
  withSimulator({ manifest: BASE, wasm: WASM }, async (simulator) => {
    const count = 10_000;
    const bytes = new Uint8Array(count * CONNECTION.size);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i += 1) {
      view.setUint32(i * CONNECTION.size + 24, i % 2 === 0 ? FIRST_SYMBOL : 1, true);
      view.setBigUint64(i * CONNECTION.size + CONNECTION.policies, 3n, true);
      view.setUint32(i * CONNECTION.size + CONNECTION.random, i, true);
    }
    const { records } = await simulator.decidePolicy(bytes, 'both');
    assert.is(records.byteLength, count * RECORD.size);
    const out = new DataView(records.buffer, records.byteOffset);
    for (let i = 0; i < count; i += 1) {
      const record = readRecord(out, i);
      assert.is(record.verdict, i % 2 === 0 ? 1 : 2);
      assert.is(record.route, i % 100 < 10 ? 0x40002 : 0x30001);
    }
  }),
);
batch.run();
