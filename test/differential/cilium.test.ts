/**
 * Generated CiliumNetworkPolicies, judged three times: by the interpreter of their semantics, and as imported policies in V8 and in
 * the kernel. Several sets are one bundle, each set a namespace, beside one policy of the whole cluster.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CiliumJudge, type CiliumRequest } from '../support/cilium-interpreter.js';
import { compileTexts } from '../support/compile-texts.js';
import { decideAsked } from '../support/decide-asked.js';
import { attachedTo } from '../support/decide-imported.js';
import { encodeAll, Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import {
  ciliumFacts,
  ciliumYaml,
  generateCiliumRequest,
  NODES,
} from '../support/generate-cilium.js';
import { ciliumSets } from '../support/imported-sets.js';
import { Prng } from '../support/prng.js';

/** WEFT_SEED moves the whole run elsewhere. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
/** What CI runs; WEFT_CILIUM_SETS=200 is the whole. */
const CI_SETS = 8;
const SETS = Number(process.env['WEFT_CILIUM_SETS'] ?? CI_SETS);
const SETS_EACH = 8;
/** Regular expressions of so many sets are more than a kernel without may_goto walks (B211). */
const KERNELS = ['6.12', '6.18'];
const REQUESTS_EACH = 250;
const test = suite('imported CiliumNetworkPolicies in three engines');
const counts = { sets: 0, requests: 0, allow: 0, deny: 0, http: 0, tooLarge: 0 };

interface Asked {
  readonly request: CiliumRequest;
  readonly allow: boolean;
}

async function compare(seed: number, count: number): Promise<void> {
  const random = new Prng(seed);
  const { names, policies, imported, texts, config } = ciliumSets(random, count);
  const { bundle, diagnostics } = await compileTexts(texts, { ...config, kernels: KERNELS });
  if (bundle === null && diagnostics.every(({ code }) => code === 'B211')) {
    counts.tooLarge += names.length;
    return;
  }
  if (bundle === null) throw new Error(JSON.stringify(diagnostics));
  const judge = new CiliumJudge(policies, NODES);
  const asked = names.flatMap((name) =>
    Array.from({ length: REQUESTS_EACH }, (): Asked => {
      const request = generateCiliumRequest(random, name);
      const allow = judge.allows(request);
      counts[allow ? 'allow' : 'deny'] += 1;
      if (request.http !== null) counts.http += 1;
      return { request, allow };
    }),
  );
  counts.sets += names.length;
  counts.requests += asked.length;
  const attached = bundle.manifest.policies.map((entry) => ({
    ...entry,
    attach: imported.policies.find((p) => p.file === entry.file)?.attach ?? [],
  }));
  const facts = asked.map(({ request }) => {
    const plain = ciliumFacts(request);
    const manifest = { ...bundle.manifest, policies: attached };
    return { ...plain, policies: attachedTo(manifest, plain.destination) };
  });
  const interner = new Interner(bundle.manifest);
  const connections = encodeAll(facts, bundle.manifest, interner);
  const onHttp = facts.filter((_, i) => asked[i]?.request.http !== null);
  const requests = encodeRequests(onHttp, bundle.manifest, interner);
  const judged = bundle.manifest.policies.some((p) => p.exports.includes('authorizeRequest'));
  const wasm = wasmEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  for (const engine of [wasm, kernel]) {
    const got = await decideAsked(engine, asked, connections, judged ? requests : null);
    const wrong = asked.findIndex((one, i) => one.allow !== got[i]);
    if (wrong < 0) continue;
    const { request, allow } = asked[wrong] as Asked;
    const own = policies.filter(
      (p) => p.namespace === request.to.namespace || p.namespace === null,
    );
    assert.unreachable(
      `${engine.name} says ${got[wrong]}, the interpreter ${allow}, of ${JSON.stringify(request)} under\n${ciliumYaml(own)}`,
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
  assert.is(counts.sets + counts.tooLarge, SETS);
  assert.ok(counts.tooLarge <= SETS / 2, `${counts.tooLarge} sets are too large for a bundle`);
  assert.is(counts.requests, counts.sets * REQUESTS_EACH);
  for (const kind of ['allow', 'deny', 'http'] as const) {
    assert.ok(counts[kind] > counts.requests / 20, `${kind}: ${counts[kind]}`);
  }
});

test.run();
