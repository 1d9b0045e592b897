/** Requests in the simulator: the head as it is parsed on a node, route, endpoint, verdict, status. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_REFUSALS } from '../../compiler/abi/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { createSimulator, readScenario, runScenario } from '../../runtime/simulate/index.js';
import { ANSWER_POLICIES, ANSWER_SCENARIO } from '../support/answer-scenario.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile } from '../support/compile-texts.js';
import { REQUEST_CONFIG, REQUEST_POLICIES, REQUEST_SCENARIO } from '../support/request-scenario.js';

const { world } = readWorld(BOOKINFO, 'world.yaml');
if (world === null) throw new Error('the sample world is broken');

const test = suite('simulate: requests');

test('each outcome of a request', async () => {
  const bundle = await mustCompile(REQUEST_POLICIES, REQUEST_CONFIG);
  const { scenario, diagnostics } = readScenario(REQUEST_SCENARIO, 's.yaml', world);
  if (scenario === null) throw new Error(JSON.stringify(diagnostics));
  await using simulator = await createSimulator(bundle, { world });
  const { results, summary } = await runScenario(simulator, scenario);
  assert.equal(
    results.filter((r) => !r.expected).map((r) => [r.id, r.differences]),
    [],
  );
  assert.ok(summary.passed > 10);
  const statuses = new Set(results.map((r) => r.status));
  for (const status of [200, 400, 403, 404, 431, 503, null]) assert.ok(statuses.has(status));
});

test('routes that answer, redirect, edit and go the slow way', async () => {
  const bundle = await mustCompile(ANSWER_POLICIES);
  const { scenario, diagnostics } = readScenario(ANSWER_SCENARIO, 's.yaml', world);
  if (scenario === null) throw new Error(JSON.stringify(diagnostics));
  await using simulator = await createSimulator(bundle, { world });
  const { results } = await runScenario(simulator, scenario);
  assert.equal(
    results.filter((r) => !r.expected).map((r) => [r.id, r.differences]),
    [],
  );
  const kinds = Object.fromEntries(results.map((r) => [r.id, r.routeKind]));
  assert.equal(
    ['plain', 'edited', 'reply', 'redirect', 'redirect-fixed', 'slow'].map((id) => kinds[id]),
    [null, 'cluster', 'reply', 'redirect', 'reply', 'waypoint'],
  );
  // What is answered where it was sent is not asked again where it never arrives.
  assert.is(results.find((r) => r.id === 'reply')?.side, 'client');
});

test('what a case expects of edits and location is compared', async () => {
  const bundle = await mustCompile(ANSWER_POLICIES);
  await using simulator = await createSimulator(bundle, { world });
  const ends = 'from: productpage-v1.prod, to: "reviews.prod:80"';
  const text = `cases:
  - { id: edits, request: { ${ends}, path: /api/x }, expect: { edits: ["remove cookie"] } }
  - { id: location, pick: 0, request: { ${ends}, path: /login }, expect: { location: "https://x/" } }
`;
  const { scenario } = readScenario(text, 's.yaml', world);
  if (scenario === null) throw new Error('not read');
  const { results } = await runScenario(simulator, scenario);
  assert.equal(
    results.flatMap((r) => r.differences),
    [
      'edits: expected [remove cookie], got [set x-version: v2; add via: 1.1 weft; remove cookie; path /x; host reviews-v2.prod:9080]',
      'location: expected https://x/, got https://reviews.prod/sign-in',
    ],
  );
});

test('a refusal has the status that weft.json gives it', async () => {
  const refusals = {
    ...DEFAULT_REFUSALS,
    deny: { status: 404, body: 'nothing here', type: 'text/plain' },
    tooLarge: { status: 414, body: '', type: 'text/plain' },
  };
  const bundle = await mustCompile(ANSWER_POLICIES, { refusals });
  await using simulator = await createSimulator(bundle, { world });
  const ends = 'from: productpage-v1.prod, to: "reviews.prod:80"';
  const text = `cases:
  - { id: deny, request: { ${ends}, headers: { x-bad: "1" } }, expect: { verdict: deny, status: 404 } }
  - { id: large, request: { ${ends}, path: "/${'a'.repeat(8200)}" }, expect: { status: 414 } }
`;
  const { scenario } = readScenario(text, 's.yaml', world);
  if (scenario === null) throw new Error('not read');
  const { results } = await runScenario(simulator, scenario);
  assert.equal(
    results.flatMap((r) => r.differences),
    [],
  );
});

test('without a policy about connections the default holds neither a request nor its connection', async () => {
  const http = REQUEST_POLICIES.get('http.ts') ?? '';
  const bundle = await mustCompile(new Map([['http.ts', http]]), REQUEST_CONFIG);
  await using simulator = await createSimulator(bundle, { world });
  const ends = 'from: productpage-v1.prod, to: "reviews.prod:80"';
  const text = `cases:
  - { id: get, request: { ${ends} }, expect: { status: 200 } }
  - { id: post, request: { ${ends}, method: POST }, expect: { status: 403 } }
  - { id: connection, connect: { ${ends} }, expect: { verdict: allow, reason: requests, rule: requests } }
  - { id: elsewhere, connect: { from: productpage-v1.prod, to: "10.1.0.4:22" }, expect: { verdict: deny, reason: default } }
`;
  const { scenario } = readScenario(text, 's.yaml', world);
  if (scenario === null) throw new Error('not read');
  const { results } = await runScenario(simulator, scenario);
  assert.equal(
    results.flatMap((r) => r.differences),
    [],
  );
});

test.run();
