/**
 * Request policies in the kernel: the outcomes of the simulator's scenario, and that the object for
 * kernels without may_goto loads too and answers as the other one does.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HEAD_MAX, VERDICT } from '../../compiler/abi/index.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { type RecordFields, readScenario, runScenario } from '../../runtime/simulate/index.js';
import { ANSWER_POLICIES, ANSWER_SCENARIO } from '../support/answer-scenario.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { parseCaseFile } from '../support/case-file.js';
import { type ConfigText, mustCompile } from '../support/compile-texts.js';
import { Interner } from '../support/encode-connection.js';
import { encodeRequests, headText, type RequestFacts } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { fixtureWorld } from '../support/fixture-world.js';
import { REQUEST_CONFIG, REQUEST_POLICIES, REQUEST_SCENARIO } from '../support/request-scenario.js';

const folder = fileURLToPath(new URL('../../../test/case/', import.meta.url));
const kernel = openKernel();
const { world } = readWorld(BOOKINFO, 'world.yaml');
if (world === null) throw new Error('the sample world is broken');

const test = suite('requests in the kernel');

test('each outcome of a request', async () => {
  // A bundle whose clusters the world lacks is not staged, so one case has no kernel to ask.
  const texts = new Map([...REQUEST_POLICIES].map(([n, text]) => [n, text.replace('/v9', '/v1')]));
  const bundle = await mustCompile(texts, REQUEST_CONFIG);
  const { scenario } = readScenario(REQUEST_SCENARIO, 's.yaml', world);
  if (scenario === null) throw new Error('not read');
  using simulator = createKernelSimulator(kernel, bundle, world);
  const { results } = await runScenario(simulator, {
    ...scenario,
    cases: scenario.cases.filter(({ id }) => id !== 'no-route'),
  });
  assert.equal(
    results.filter((r) => !r.expected).map((r) => [r.id, r.differences]),
    [],
  );
});

test('routes that answer, redirect, edit and go the slow way', async () => {
  const bundle = await mustCompile(ANSWER_POLICIES);
  const { scenario } = readScenario(ANSWER_SCENARIO, 's.yaml', world);
  if (scenario === null) throw new Error('not read');
  using simulator = createKernelSimulator(kernel, bundle, world);
  const { results } = await runScenario(simulator, scenario);
  assert.equal(
    results.filter((r) => !r.expected).map((r) => [r.id, r.differences]),
    [],
  );
});

for (const name of readdirSync(folder).filter((n) => /^request-.*\.case$/.test(n)))
  test(`${name}: the object without may_goto answers alike`, async () => {
    const file = parseCaseFile(name, readFileSync(join(folder, name), 'utf8'));
    const bundle = await mustCompile(file.policies, file.config as ConfigText);
    const { base } = bundle.objects;
    assert.not.equal(base, bundle.objects.mayGoto, 'a loop is missing');
    const rows = file.cases.flatMap((c) => (c.request === null ? [] : { ...c, ...c.request }));
    const bytes = encodeRequests(rows, bundle.manifest, new Interner(bundle.manifest));
    using guarded = createKernelSimulator(kernel, bundle, fixtureWorld());
    const old = { ...bundle, objects: { base, mayGoto: base } };
    using walked = createKernelSimulator(kernel, old, fixtureWorld());
    assert.equal(
      (await walked.decidePolicy(bytes, 'bothRequest')).records,
      (await guarded.decidePolicy(bytes, 'bothRequest')).records,
    );
  });

test('views at the very end of the largest head', async () => {
  const file = parseCaseFile('v', readFileSync(join(folder, 'request-values.case'), 'utf8'));
  const bundle = await mustCompile(file.policies, file.config as ConfigText);
  const last = [
    ['plan', 'x-tenant: tenant-2'],
    ['few', 'x-tenant: PUT'],
    ['few', 'x-tenant:'],
    ['number', 'x-n: 42'],
    ['large', 'x-n: 4294967295'],
    ['cookie', 'cookie: a=b; sid=s3'],
    ['cookie', 'cookie: a=b; sid='],
    ['hosts', 'host: api.a'],
  ] as const;
  const [first] = file.cases;
  if (first === undefined) throw new Error('no case');
  const rows = last.flatMap(([path, line]): RequestFacts[] => {
    const at = line.indexOf(':');
    const header = [line.slice(0, at), line.slice(at + 1).trim()] as const;
    const row = (pad: number): RequestFacts => ({
      ...first,
      method: 'GET',
      target: `/${path}`,
      headers: [['pad', 'p'.repeat(pad)], header],
    });
    const most = HEAD_MAX - headText(row(0)).length;
    return Array.from({ length: 12 }, (_, i) => row(most - i));
  });
  const interner = new Interner(bundle.manifest);
  const bytes = encodeRequests(rows, bundle.manifest, interner);
  using wasm = wasmEngine(bundle, interner.added);
  using inKernel = kernelEngine(bundle);
  const fields = (r: RecordFields): readonly number[] => [r.verdict, r.site, r.reason];
  const simulated = (await wasm.decide(bytes, 'authorizeRequest')).map(fields);
  assert.equal((await inKernel.decide(bytes, 'authorizeRequest')).map(fields), simulated);
  assert.is(simulated.filter(([verdict]) => verdict === VERDICT.allow).length, 12 * 7);
});

test.run();
