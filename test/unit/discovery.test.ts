import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import {
  ANONYMOUS,
  formatAddress,
  MAX_SCHEDULE,
  NO_CLUSTER,
  parseAddress,
  planGeneration,
  policyTargets,
  readWorld,
  resolveCluster,
  schedule,
  type World,
} from '../../runtime/discovery/index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { clusterRoute, manifestOf, policyEntry } from '../support/wat-bundle.js';

function worldOf(text: string = BOOKINFO): World {
  const { world, diagnostics } = readWorld(text, 'world.yaml');
  if (world === null) throw new Error(JSON.stringify(diagnostics));
  return world;
}

const addresses = suite('discovery: addresses');
const forms: [string, string | null][] = [
  ['10.0.0.1', '10.0.0.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['FD00:0:0:1::4', 'fd00:0:0:1::4'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['10.0.0', null],
  ['10.0.0.01', null],
  ['10.0.0.256', null],
  ['10.0.0.1/32', null],
  ['fe80::1%eth0', null],
  ['1:2:3:4:5:6:7', null],
  ['1:2:3:4:5:6:7:8:9', null],
  ['1::2::3', null],
  ['1:2:3:4:5:6:7::8', null],
  ['::1.2.3.4.5', null],
  ['1.2.3.4::', null],
  ['12345::', null],
  [':1', null],
  ['', null],
];
for (const [text, want] of forms) {
  addresses(`${text || 'nothing'} is ${want ?? 'refused'}`, () => {
    const have = parseAddress(text);
    assert.is(have?.text ?? null, want);
    if (have === null) return;
    assert.is(formatAddress(have.bytes), want);
    assert.equal(parseAddress(have.text)?.bytes, have.bytes);
  });
}
addresses.run();

const schedules = suite('discovery: schedule');
const orders: [number[], number[] | null][] = [
  [[], []],
  [[0, 0], []],
  [[1], [0]],
  [[1000], [0]],
  [
    [1, 1],
    [0, 1],
  ],
  [
    [90, 10],
    [0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
  ],
  [
    [5, 1, 1],
    [0, 0, 1, 0, 2, 0, 0],
  ],
  [
    [2, 0, 4],
    [2, 0, 2],
  ],
];
for (const [weights, want] of orders) {
  schedules(JSON.stringify(weights), () => assert.equal(schedule(weights), want));
}
schedules('each index stands as often as its reduced weight says', () => {
  const order = schedule([300, 500, 200, 0]) ?? [];
  const counts = [0, 1, 2, 3].map((index) => order.filter((turn) => turn === index).length);
  assert.equal(counts, [3, 5, 2, 0]);
});
schedules('is refused above the limit, not at it', () => {
  const at = new Array<number>(MAX_SCHEDULE - 2).fill(1);
  assert.is(schedule([...at, 2])?.length, MAX_SCHEDULE);
  assert.is(schedule([...at, 3]), null);
});
schedules.run();

const targets = suite('discovery: targets');
const bits = (text: string): bigint => BigInt(`0b${text}`);
const attached: [string, Parameters<typeof policyEntry>[2]['attach'], bigint[], bigint[]][] = [
  // workloads: productpage, reviews-v1, reviews-v2, ratings, intruder; services: reviews, ratings
  ['namespace', [{ namespace: 'prod' }], [1n, 1n, 1n, 1n, 0n], [1n, 1n]],
  ['labels', [{ workload: { app: 'ratings' } }], [0n, 0n, 0n, 1n, 1n], [0n, 0n]],
  ['service', [{ service: 'reviews.prod' }], [0n, 1n, 1n, 0n, 0n], [1n, 0n]],
  [
    'conjunction',
    [{ namespace: 'prod', workload: { app: 'ratings' } }],
    [0n, 0n, 0n, 1n, 0n],
    [0n, 0n],
  ],
  [
    'disjunction',
    [{ namespace: 'dev' }, { service: 'ratings.prod' }],
    [0n, 0n, 0n, 1n, 1n],
    [0n, 1n],
  ],
  [
    'service and labels',
    [{ service: 'reviews.prod', workload: { version: 'v2' } }],
    [0n, 0n, 1n, 0n, 0n],
    [0n, 0n],
  ],
];
for (const [name, attach, workloads, services] of attached) {
  targets(name, () => {
    const both = policyEntry(0, 'p', {
      attach: attach ?? [],
      exports: ['authorizeConnection', 'routeConnection'],
    });
    const have = policyTargets(worldOf(), [both]);
    assert.equal(have.workloads, workloads);
    assert.equal(have.services, services);
    assert.equal(have.diagnostics, []);
  });
}
targets('bits are indices, and each export has its own mask', () => {
  const have = policyTargets(worldOf(), [
    policyEntry(1, 'a', { attach: [{ service: 'reviews.prod' }] }),
    policyEntry(63, 'b', { attach: [{ namespace: 'prod' }], exports: ['routeConnection'] }),
  ]);
  assert.equal(have.workloads, [0n, bits('10'), bits('10'), 0n, 0n]);
  assert.equal(have.services, [1n << 63n, 1n << 63n]);
});
targets('an attachment that matches nothing is a warning', () => {
  const attach = [{ namespace: 'prod' }, { namespace: 'prdo' }];
  const have = policyTargets(worldOf(), [policyEntry(0, 'p', { attach })]);
  assert.equal(
    have.diagnostics.map((d) => [d.code, d.severity, d.message]),
    [
      [
        'W122',
        'warning',
        'the attachment `{"namespace":"prdo"}` of policy `p` matches nothing in the world',
      ],
    ],
  );
});
targets.run();

const names = suite('discovery: cluster names');
const TWINS = `${BOOKINFO.replace(
  'services:\n',
  `services:
  - name: reviews.dev
    addresses: [10.96.1.10]
    ports: [{ port: 80 }]
    clusters: [{ name: reviews/v1, selector: {} }]
`,
)}`;
names('short form within the scope', () => {
  const have = resolveCluster(worldOf(TWINS), 'reviews/v1', [{ namespace: 'prod' }]);
  assert.ok(have.ok);
  assert.is(have.service.name, 'reviews.prod');
});
names('full form whatever the scope', () => {
  const have = resolveCluster(worldOf(TWINS), 'reviews.dev/v1', [{ service: 'ratings.prod' }]);
  assert.ok(have.ok);
  assert.is(have.service.name, 'reviews.dev');
});
const refusals: [string, string, string][] = [
  [
    'reviews/v1',
    'W121',
    'the cluster `reviews/v1` is ambiguous: `reviews.dev/v1`, `reviews.prod/v1`',
  ],
  ['reviews/v3', 'W120', 'no cluster `reviews/v3` of a service that this policy is attached to'],
  ['reviews.test/v1', 'W120', 'no cluster `reviews.test/v1` of the world'],
];
for (const [name, code, message] of refusals) {
  names(`refuses ${name}`, () => {
    const scope = [{ namespace: 'prod' }, { namespace: 'dev' }];
    const have = resolveCluster(worldOf(TWINS), name, scope);
    assert.not(have.ok);
    if (!have.ok) assert.equal([have.diagnostic.code, have.diagnostic.message], [code, message]);
  });
}
names('outside its scope the help says how', () => {
  const have = resolveCluster(worldOf(), 'ratings/v1', [{ service: 'reviews.prod' }]);
  assert.not(have.ok);
  if (have.ok) return;
  assert.is(
    have.diagnostic.help,
    'attach the policy to `ratings.prod`, or write `ratings.prod/v1`',
  );
});
names.run();

const plans = suite('discovery: plan');
const MANIFEST: Manifest = manifestOf({
  policies: [
    policyEntry(0, 'allow', {}),
    policyEntry(1, 'split', {
      attach: [{ service: 'reviews.prod' }],
      exports: ['routeConnection'],
    }),
  ],
  routes: [clusterRoute('reviews/v2', 1), clusterRoute('ratings.prod/v1', 1)],
  symbols: ['cluster.local/ns/prod/sa/reviews', 'prod'],
  attributes: [
    { side: 'source', attribute: 'namespace', key: null, slot: 0 },
    { side: 'source', attribute: 'principal', key: null, slot: 1 },
    { side: 'source', attribute: 'label', key: 'version', slot: 2 },
    { side: 'destination', attribute: 'workload', key: null, slot: 0 },
  ],
  predicates: [
    { side: 'source', attribute: 'namespace', key: null, op: 'startsWith', text: 'pr', bit: 0 },
    { side: 'source', attribute: 'principal', key: null, op: 'endsWith', text: '/reviews', bit: 5 },
    { side: 'source', attribute: 'label', key: 'version', op: 'contains', text: 'x', bit: 63 },
  ],
});

plans('identities are symbols and bits', () => {
  const plan = planGeneration(MANIFEST, worldOf());
  const [productpage, reviews, , , intruder] = plan.workloads;
  assert.equal(plan.diagnostics, []);
  assert.equal(reviews?.source.attributes.slice(0, 3), [3, 2, 6]);
  assert.is(plan.symbols[6 - 4], 'v1');
  assert.is(reviews?.source.predicates, 0b100001n);
  assert.equal(productpage?.source.attributes.slice(0, 3), [3, 4, 0]);
  assert.is(productpage?.source.predicates, 1n);
  assert.is(intruder?.source.predicates, 0n);
  const name = reviews?.destination.attributes[0] ?? 0;
  assert.is(plan.symbols[name - 4], 'reviews-v1');
  assert.equal(reviews?.destination.attributes.slice(1), ANONYMOUS.attributes.slice(1));
});

plans('trust none makes the principal of a source absent', () => {
  const plan = planGeneration({ ...MANIFEST, trust: 'none' }, worldOf());
  const reviews = plan.workloads[1];
  assert.equal(reviews?.source.attributes.slice(0, 2), [3, 0]);
  assert.is(reviews?.source.predicates, 1n);
});

plans('services, clusters, routes', () => {
  const plan = planGeneration(MANIFEST, worldOf());
  assert.equal(
    plan.clusters.map((c) => [c.name, c.service, c.port]),
    [
      ['reviews/v1', 0, 9080],
      ['reviews/v2', 0, 9080],
      ['reviews/*', 0, 9080],
      ['ratings/v1', 1, 9080],
    ],
  );
  assert.equal(plan.routes, [1, 3]);
  assert.equal(
    plan.services[0]?.frontends.map((f) => [f.address.text, f.port, f.protocol, f.cluster]),
    [
      ['10.96.0.10', 80, 6, 2],
      ['fd00:96::10', 80, 6, 2],
    ],
  );
  assert.equal(
    plan.clusters[2]?.v4.map((e) => [e.workload, e.address.text, e.port]),
    [
      [1, '10.1.0.4', 9080],
      [2, '10.1.0.5', 9080],
    ],
  );
  assert.equal(plan.clusters[3]?.v6, []);
  assert.is(plan.services[0]?.policies, 2n);
  assert.is(plan.workloads[4]?.policies, 0n);
});

plans('unhealthy and weightless endpoints get nothing', () => {
  const world = worldOf(BOOKINFO.replace('version: v1 }\n', 'version: v1 }\n    healthy: false\n'));
  const plan = planGeneration(MANIFEST, world);
  assert.equal(plan.clusters[0]?.v4, []);
  assert.equal(
    plan.clusters[2]?.v4.map((e) => e.workload),
    [2],
  );
});

plans('weights that need too long a schedule are refused', () => {
  const weights = (last: number): string =>
    [1000, 999, 997, 991, last]
      .map(
        (weight, i) =>
          `  - { name: w${i}.prod, addresses: [10.3.0.${i + 1}], labels: { app: w }, weight: ${weight} }\n`,
      )
      .join('');
  const text = (last: number): string => `services:
  - name: w.prod
    addresses: [10.96.3.1]
    ports: [{ port: 80 }]
    clusters: [{ name: w/v1, selector: { app: w } }]
workloads:
${weights(last)}`;
  const codes = (last: number): string[] =>
    planGeneration(manifestOf({}), worldOf(text(last))).diagnostics.map((d) => d.code);
  assert.equal(codes(983), ['W108']);
  assert.equal(codes(101), []);
});

plans('a route that cannot tell target ports apart is refused', () => {
  const world = worldOf(
    BOOKINFO.replace('protocol: http }]', 'protocol: http }, { port: 81, target: 9081 }]'),
  );
  const plan = planGeneration(MANIFEST, world);
  assert.equal(
    plan.diagnostics.map((d) => [d.code, d.line]),
    [['W123', 2]],
  );
  assert.equal(plan.routes, [NO_CLUSTER, plan.clusters.length - 1]);
  assert.equal(
    plan.services[0]?.frontends.slice(0, 2).map((f) => plan.clusters[f.cluster]?.port),
    [9080, 9081],
  );
});

plans('the same input gives the same plan', () => {
  const print = (): string =>
    JSON.stringify(planGeneration(MANIFEST, worldOf()), (_, v) =>
      typeof v === 'bigint' ? v.toString() : v,
    );
  assert.is(print(), print());
});
plans.run();
