/** The path of a connection, with the engine in this thread: declared outcomes and their twins. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { planGeneration, readWorld, type World } from '../../runtime/discovery/index.js';
import { decidePath } from '../../runtime/simulate/decide-path.js';
import {
  createEngine,
  type Outcome,
  requestParser,
  resolveConnect,
} from '../../runtime/simulate/index.js';
import { indexPlan } from '../../runtime/simulate/plan-index.js';
import { BOOKINFO } from '../support/bookinfo-world.js';
import { clusterRoute, manifestOf, policyEntry, wat } from '../support/wat-bundle.js';

const read = readWorld(BOOKINFO, 'world.yaml');
if (read.world === null) throw new Error('the sample world is broken');
const WORLD: World = read.world;

const authorize = (answer: number): Uint8Array =>
  wat(
    `(module (func (export "authorizeConnection") (param i32) (result i32) (i32.const ${answer})))`,
  );
const route = (body: string): Uint8Array =>
  wat(`(module (func (export "routeConnection") (param i32) (result i32) ${body}))`);
/** Allows IPv4 sources with the registered address, and no other. */
const FROM_10_1_0_2 = wat(`(module
  (import "weft" "address_word" (func $word (param i32 i32) (result i32)))
  (import "weft" "destination_port" (func $port (result i32)))
  (func (export "authorizeConnection") (param i32) (result i32)
    (select (i32.const 0x101) (i32.const 0x102)
      (i32.and (i32.eq (call $word (i32.const 0) (i32.const 3)) (i32.const 0x0a010002))
        (i32.eq (call $port) (i32.const 9080))))))`);

const ALLOW = authorize(0x101);
const DENY = authorize(0x202);
const PASS = authorize(0x303);
const AUDIT = authorize(0x404);
const SPLIT = { attach: [{ service: 'reviews.prod' }], exports: ['routeConnection'] } as const;

interface Row {
  readonly name: string;
  readonly policies: readonly [Uint8Array, Parameters<typeof policyEntry>[2]][];
  readonly manifest?: Partial<Manifest>;
  readonly from?: string;
  readonly to?: string;
  readonly pick?: number;
  readonly want: Partial<Outcome>;
}

async function decide(row: Row): Promise<Outcome> {
  const policies = row.policies.map(([, parts], i) => policyEntry(i, `p${i}`, parts));
  const manifest = manifestOf({ ...row.manifest, policies });
  const plan = planGeneration(manifest, WORLD);
  const wasm = row.policies.map(([bytes], i) => [`p${i}`, bytes] as const);
  const engine = createEngine({ manifest, wasm, symbols: plan.symbols });
  const found = resolveConnect(WORLD, {
    from: row.from ?? 'productpage-v1.prod',
    to: row.to ?? 'reviews.prod:80',
  });
  if (!found.ok) throw new Error(found.fault.message);
  const index = indexPlan(plan);
  const [outcome] = await decidePath([{ ...found.ends, random: 0, pick: row.pick ?? 0, now: 0n }], {
    manifest,
    engine: { decide: async (connections, ask) => engine.decide(connections, ask) },
    parseRequest: requestParser([]),
    indexFor: () => index,
  });
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

const trapRoute: Row['policies'] = [
  [route('(unreachable)'), { ...SPLIT, canAllow: false, routes: 1 }],
  [ALLOW, {}],
];
const routes = [clusterRoute('reviews/v2', 0)];
const failure = {
  trap: 'allow',
  fuel: 'deny',
  unknownIdentity: 'deny',
  parse: 'deny',
} as const;

const rows: Row[] = [
  {
    name: 'one Allow is enough',
    policies: [
      [PASS, {}],
      [ALLOW, {}],
    ],
    want: { verdict: 'allow', reason: 'policy', policy: 'p1' },
  },
  {
    name: 'a Deny after an Allow denies',
    policies: [
      [ALLOW, {}],
      [DENY, {}],
    ],
    want: { verdict: 'deny', reason: 'policy', policy: 'p1', cluster: 'reviews/*' },
  },
  {
    name: 'none of those that can allow: noAllow',
    policies: [[PASS, {}]],
    want: { verdict: 'deny', reason: 'noAllow', rule: 'default', policy: null },
  },
  {
    name: 'nobody can allow: the default',
    policies: [[PASS, { canAllow: false }]],
    manifest: { default: 'allow' },
    want: { verdict: 'allow', reason: 'default', rule: 'default' },
  },
  {
    name: 'Audit marks and does not decide',
    policies: [
      [AUDIT, { canAllow: false }],
      [ALLOW, {}],
    ],
    want: { verdict: 'allow', audit: true, policy: 'p1' },
  },
  {
    name: 'a shadow Deny is only told',
    policies: [
      [DENY, { mode: 'shadow' }],
      [ALLOW, {}],
    ],
    want: { verdict: 'allow', shadow: [{ policy: 'p0', verdict: 'deny' }] },
  },
  {
    name: 'a policy on another target is not asked',
    policies: [
      [DENY, { attach: [{ service: 'ratings.prod' }] }],
      [ALLOW, {}],
    ],
    want: { verdict: 'allow', shadow: [] },
  },
  {
    name: 'an answer that is no verdict is a trap',
    policies: [[authorize(0x107), {}]],
    want: { verdict: 'deny', reason: 'trap', rule: 'trap', policy: 'p0' },
  },
  {
    name: 'the route picks the cluster',
    policies: [
      [route('(i32.const 1)'), { ...SPLIT, routes: 1 }],
      [ALLOW, {}],
    ],
    manifest: { routes },
    want: { verdict: 'allow', cluster: 'reviews/v2', endpoint: '10.1.0.5:9080' },
  },
  {
    name: 'without an opinion the pick goes over all endpoints',
    policies: [
      [route('(i32.const 0)'), { ...SPLIT, routes: 1 }],
      [ALLOW, {}],
    ],
    manifest: { routes },
    pick: 0xffffffff,
    want: { verdict: 'allow', cluster: 'reviews/*', endpoint: '10.1.0.5:9080', route: null },
  },
  {
    name: 'a shadow policy never routes',
    policies: [
      [route('(i32.const 1)'), { ...SPLIT, mode: 'shadow', routes: 1 }],
      [ALLOW, {}],
    ],
    manifest: { routes },
    want: { verdict: 'allow', cluster: 'reviews/*' },
  },
  {
    name: 'a route number that was never declared is a trap',
    policies: [
      [route('(i32.const 2)'), { ...SPLIT, routes: 1 }],
      [ALLOW, {}],
    ],
    manifest: { routes },
    want: { verdict: 'deny', reason: 'trap', endpoint: null, cluster: null },
  },
  {
    name: 'a route to a cluster that the world lacks',
    policies: [
      [route('(i32.const 1)'), { ...SPLIT, routes: 1 }],
      [ALLOW, {}],
    ],
    manifest: { routes: [clusterRoute('reviews/v9', 0)] },
    want: { verdict: 'deny', reason: 'noRoute', endpoint: null },
  },
  {
    name: 'a route that traps denies',
    policies: trapRoute,
    manifest: { routes },
    want: { verdict: 'deny', reason: 'trap', endpoint: null, side: 'client' },
  },
  {
    name: 'a route that traps, declared allow: the default cluster, judged',
    policies: trapRoute,
    manifest: { routes, failure },
    want: { verdict: 'allow', reason: 'policy', cluster: 'reviews/*' },
  },
  {
    name: 'a trap declared allow allows',
    policies: [
      [
        wat(
          '(module (func (export "authorizeConnection") (param i32) (result i32) (unreachable)))',
        ),
        {},
      ],
    ],
    manifest: { failure },
    want: { verdict: 'allow', reason: 'trap', rule: 'trap' },
  },
  {
    name: "the source is the registered address, the port the endpoint's",
    policies: [[FROM_10_1_0_2, {}]],
    want: { verdict: 'allow' },
  },
  {
    name: 'another source address',
    policies: [[FROM_10_1_0_2, {}]],
    from: 'reviews-v1.prod',
    want: { verdict: 'deny', side: 'client' },
  },
  {
    name: 'an outsider meets only the server',
    policies: [[ALLOW, {}]],
    from: '203.0.113.9',
    to: '10.1.0.6:9080',
    want: { verdict: 'allow', side: 'server', service: null, cluster: null },
  },
];

const test = suite('simulate: declared outcomes');
for (const row of rows) {
  test(row.name, async () => {
    const outcome = await decide(row);
    const have = Object.fromEntries(
      Object.keys(row.want).map((key) => [key, outcome[key as keyof Outcome]]),
    );
    assert.equal(have, row.want);
  });
}
test.run();
