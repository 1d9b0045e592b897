/**
 * Generated VirtualServices and HTTPRoutes, judged three times: by the interpreter of their semantics, and as imported policies in V8 and
 * in the kernel. Compared is where a request goes with which path, host and headers, or what it hears. Several services are one bundle.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROUTE_MASK } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import {
  type ImportedProject,
  ISTIO_DEFAULTS,
  importGateway,
  importIstio,
} from '../../runtime/import/index.js';
import type { RecordFields } from '../../runtime/simulate/index.js';
import { compileTexts } from '../support/compile-texts.js';
import { Interner } from '../support/encode-connection.js';
import { encodeRequests } from '../support/encode-request.js';
import { kernelEngine, wasmEngine } from '../support/engines.js';
import {
  gatewayYaml,
  generateGatewayRoutes,
  generateRouteRequest,
  generateVirtualService,
  routeFacts,
  SUBSETS,
  virtualYaml,
} from '../support/generate-routes.js';
import { Prng } from '../support/prng.js';
import {
  interpretGatewayRoutes,
  interpretVirtualService,
  type RouteRequest,
  sentText,
} from '../support/route-interpreter.js';
import { resultText } from '../support/route-result.js';
import { servicesOf } from '../support/told-services.js';

/** WEFT_SEED moves the whole run elsewhere. */
const SEED = Number(process.env['WEFT_SEED'] ?? 1);
/** Services of each dialect that CI compares; WEFT_ROUTE_SETS=200 is the whole. */
const CI_SETS = 16;
const SETS = Number(process.env['WEFT_ROUTE_SETS'] ?? CI_SETS);
/** More of them may be too much for one bundle (B211). */
const SETS_EACH = 4;
const REQUESTS_EACH = 250;
const test = suite('imported routes in three engines');
const counts = {
  services: 0,
  requests: 0,
  none: 0,
  reply: 0,
  redirect: 0,
  sent: 0,
  edited: 0,
  tooLarge: 0,
};

const CLUSTERS = SUBSETS.map((v): [string, object] => [
  `reviews.prod/${v}`,
  { app: 'reviews', version: v },
]);

/** `svc-N` exist; `reviews` has all clusters, and `v1` to `v5` of HTTPRoutes one each. */
function knownServices(count: number): ReturnType<typeof servicesOf> {
  const own = Array.from({ length: count }, (_, i) => [`svc-${i}.prod`, ['reviews.prod/v1']]);
  const single = SUBSETS.map((v) => [`${v}.prod`, [`reviews.prod/${v}`]]);
  const clusters = { 'reviews.prod': Object.fromEntries(CLUSTERS) };
  return servicesOf({
    clusters: { ...clusters, ...Object.fromEntries([...own, ...single]) },
    ports: Object.fromEntries(own.map(([name]) => [name, ['http:80', 'http:8080:80']])),
  });
}

/** An answer of an engine in the words of the interpreter. */
function tell({ route }: RecordFields, { routes }: Manifest, request: RouteRequest): string {
  const target = routes[(route & ROUTE_MASK) - 1] ?? null;
  const headers = Object.entries(request.headers);
  return resultText(target, { ...request, headers }).replace('reviews.prod/', '');
}

type Judge = (service: number, request: RouteRequest) => string;

async function compare(
  random: Prng,
  imported: ImportedProject,
  count: number,
  judge: Judge,
  source: (service: number) => string,
): Promise<void> {
  assert.equal(
    imported.diagnostics.filter((d) => d.severity === 'error'),
    [],
  );
  const texts = new Map(imported.policies.map((p) => [p.file, p.text]));
  const config = { default: imported.default, budget: { instructions: 500_000 } };
  const { bundle, diagnostics } = await compileTexts(texts, config);
  if (bundle === null && diagnostics.every(({ code }) => code === 'B211')) {
    counts.tooLarge += count;
    return;
  }
  if (bundle === null) throw new Error(JSON.stringify(diagnostics));
  const asked = Array.from({ length: count * REQUESTS_EACH }, (_, i) => {
    const service = i % count;
    const request = generateRouteRequest(random);
    const want = judge(service, request);
    const kind = /^(none|reply|redirect)/.exec(want)?.[1] ?? 'sent';
    counts[kind as 'none' | 'reply' | 'redirect' | 'sent'] += 1;
    const plain = Object.entries(request.headers).map(([n, v]) => `${n}: ${v}`);
    const same = sentText({ to: want.slice(0, 2), ...request, headers: plain.sort() });
    if (kind === 'sent' && want.replace(/^reviews\//, '') !== same) counts.edited += 1;
    const policies = imported.policies.flatMap(({ attach }, index) =>
      attach.some((item) => item.service === `svc-${service}.prod`) ? [index] : [],
    );
    return { service, request, want: want.replace(/^reviews\//, ''), policies };
  });
  counts.services += count;
  counts.requests += asked.length;
  const facts = asked.map(({ request, policies }) => routeFacts(request, policies));
  const interner = new Interner(bundle.manifest);
  const structs = encodeRequests(facts, bundle.manifest, interner);
  const wasm = wasmEngine(bundle, interner.added);
  using kernel = kernelEngine(bundle);
  for (const engine of [wasm, kernel]) {
    const records = await engine.decide(structs, 'routeRequest');
    for (const [i, { service, request, want }] of asked.entries()) {
      const record = records[i];
      const got = record === undefined ? 'no record' : tell(record, bundle.manifest, request);
      if (got === want) continue;
      assert.unreachable(
        `${engine.name} says ${got}, the interpreter ${want}, of ${JSON.stringify(request)} under\n${source(service)}`,
      );
    }
  }
}

for (let from = 0; from < SETS; from += SETS_EACH) {
  const seed = SEED * 1_000_000 + from;
  const count = Math.min(SETS_EACH, SETS - from);
  test(`VirtualServices, seed ${seed}`, async () => {
    const random = new Prng(seed);
    const objects = Array.from({ length: count }, () => generateVirtualService(random));
    const options = { ...ISTIO_DEFAULTS, services: knownServices(count) };
    const imported = importIstio(
      [{ name: 'mesh.yaml', text: virtualYaml(objects) }],
      options,
      'one',
    );
    const at = (service: number) => objects[service] ?? { namespace: 'prod', http: [] };
    await compare(
      random,
      imported,
      count,
      (service, request) => interpretVirtualService(at(service), request),
      (service) => JSON.stringify(at(service), null, 1),
    );
  });
  test(`HTTPRoutes, seed ${seed}`, async () => {
    const random = new Prng(seed + 500_000);
    const routes = Array.from({ length: count }, () => generateGatewayRoutes(random));
    const options = { namespace: 'default', services: knownServices(count) };
    const imported = importGateway([{ name: 'mesh.yaml', text: gatewayYaml(routes) }], options);
    const at = (service: number) => routes[service] ?? [];
    await compare(
      random,
      imported,
      count,
      (service, request) => interpretGatewayRoutes(at(service), 'prod', request),
      (service) => JSON.stringify(at(service), null, 1),
    );
  });
}

test('enough was compared, and it was not all the same', () => {
  console.error(`compared ${JSON.stringify(counts)}`);
  if (SETS < CI_SETS) return;
  assert.is(counts.services + counts.tooLarge, 2 * SETS);
  assert.ok(counts.tooLarge <= SETS, `${counts.tooLarge} services are too large for a bundle`);
  assert.is(counts.requests, counts.services * REQUESTS_EACH);
  for (const kind of ['none', 'reply', 'redirect', 'sent', 'edited'] as const) {
    assert.ok(counts[kind] > counts.requests / 100, `${kind}: ${counts[kind]}`);
  }
});

test.run();
