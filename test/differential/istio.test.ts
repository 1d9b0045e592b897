/**
 * Generated AuthorizationPolicies, judged three times: by the interpreter of their semantics, and as imported policies in
 * V8 and in the kernel. 25 sets are one bundle, each set a namespace, since the compiler's time is mostly the same for
 * one set and for many (`import --direct` writes them so). Paths are taken as they are: the parser has its own tests.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mustCompile } from '../support/compile-texts.js';
import { decideAsked } from '../support/decide-asked.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import { factsOf, generateIstioRequest, yamlOf } from '../support/generate-istio.js';
import { istioSets } from '../support/imported-sets.js';
import { type IstioRequest, interpretIstio } from '../support/istio-interpreter.js';
import { Prng } from '../support/prng.js';

/** WEFT_SEED moves the whole run elsewhere. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
/** What CI runs; WEFT_ISTIO_SETS=500 is the whole: 100,000 requests, of which compiling takes most of the time. */
const CI_SETS = 100;
const SETS = Number(process.env['WEFT_ISTIO_SETS'] ?? CI_SETS);
const SETS_EACH = 25;
const REQUESTS_EACH = 200;
/** Path templates of so many sets are more than a kernel without may_goto walks (B211). */
const KERNELS = ['6.12', '6.18'];
const test = suite('imported AuthorizationPolicies in three engines');
const counts = { sets: 0, requests: 0, allow: 0, deny: 0, tcp: 0, unselected: 0 };

interface Asked {
  readonly request: IstioRequest;
  readonly allow: boolean;
}

async function compare(seed: number, count: number): Promise<void> {
  const random = new Prng(seed);
  const { names, policies, texts, config } = istioSets(random, count);
  const bundle = await mustCompile(texts, { ...config, kernels: KERNELS });
  const asked = names.flatMap((name) =>
    Array.from({ length: REQUESTS_EACH }, (): Asked => {
      const request = generateIstioRequest(random, name);
      const { allow, rule } = interpretIstio(policies, request);
      counts[allow ? 'allow' : 'deny'] += 1;
      if (request.http === null) counts.tcp += 1;
      if (rule === null) counts.unselected += 1;
      return { request, allow };
    }),
  );
  counts.sets += names.length;
  counts.requests += asked.length;
  const facts = asked.map(({ request }) => factsOf(request));
  const interner = new Interner(bundle.manifest);
  const connections = encodeAll(facts, bundle.manifest, interner);
  const onHttp = facts.filter((_, i) => asked[i]?.request.http !== null);
  const requests = encodeRequests(onHttp, bundle.manifest, interner);
  const wasm = wasmEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  for (const engine of [wasm, kernel]) {
    const got = await decideAsked(engine, asked, connections, requests);
    const wrong = asked.findIndex((one, i) => one.allow !== got[i]);
    if (wrong < 0) continue;
    const { request, allow } = asked[wrong] as Asked;
    const own = policies.filter(
      (p) => p.namespace === request.workload.namespace || p.namespace === 'istio-system',
    );
    assert.unreachable(
      `${engine.name} says ${got[wrong]}, the interpreter ${allow}, of ${JSON.stringify(request)} under\n${yamlOf(own)}`,
    );
  }
}

for (let from = 0; from < SETS; from += SETS_EACH) {
  const seed = SEED * 1_000_000 + from;
  test(`seed ${seed}`, () => compare(seed, Math.min(SETS_EACH, SETS - from)));
}

test('enough was compared, and it was not all the same', () => {
  console.error(`compared ${JSON.stringify(counts)}`);
  if (SETS < CI_SETS) return;
  assert.is(counts.sets, SETS);
  assert.is(counts.requests, SETS * REQUESTS_EACH);
  for (const kind of ['allow', 'deny', 'tcp', 'unselected'] as const) {
    assert.ok(counts[kind] > counts.requests / 20, `${kind}: ${counts[kind]}`);
  }
});

test.run();
