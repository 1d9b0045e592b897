/** Requests in the simulator: the head as it is parsed on a node, route, endpoint, verdict, status. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWorld } from '../../runtime/discovery/index.js';
import { createSimulator, readScenario, runScenario } from '../../runtime/simulate/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { mustCompile } from '../support/compile-texts.js';
import { REQUEST_POLICIES, REQUEST_SCENARIO } from '../support/request-scenario.js';

const { world } = readWorld(BOOKINFO, 'world.yaml');
if (world === null) throw new Error('the sample world is broken');

const test = suite('simulate: requests');

test('each outcome of a request', async () => {
  const bundle = await mustCompile(REQUEST_POLICIES);
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

test('without a policy about connections the default does not hold a request, only what is said of it', async () => {
  const http = REQUEST_POLICIES.get('http.ts') ?? '';
  const bundle = await mustCompile(new Map([['http.ts', http]]));
  await using simulator = await createSimulator(bundle, { world });
  const ends = 'from: productpage-v1.prod, to: "reviews.prod:80"';
  const text = `cases:
  - { id: get, request: { ${ends} }, expect: { status: 200 } }
  - { id: post, request: { ${ends}, method: POST }, expect: { status: 403 } }
  - { id: connection, connect: { ${ends} }, expect: { verdict: deny, reason: default } }
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
