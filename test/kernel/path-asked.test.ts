/**
 * Whether a connection is a question of its own: not where its requests are judged one by one and no policy
 * speaks of connections. By the kernel, and by each way in which the simulator decides: all must say the same.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../compiler/index.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { compareEngines } from '../../runtime/cli/simulate-run.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import {
  createInlineDecider,
  createSimulator,
  DEFAULT_NOW,
  type DecideInput,
  type Outcome,
  resolveConnect,
} from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { WASMTIME } from '../support/engines.js';

const REQUEST = `import { Request, Verdict } from "weft";
export function authorizeRequest(request: Request): Verdict {
  return request.method.is("GET") ? Verdict.Allow : Verdict.Deny;
}
`;
const CONNECTION = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.label("app").is("client") ? Verdict.Allow : Verdict.Pass;
}
`;
const ROUTE = `import { cluster, Connection, Route } from "weft";
const far = cluster("far.prod/v1"), near = cluster("near.prod/v1");
export function routeConnection(connection: Connection): Route {
  if (!connection.source.label("app").is("roamer")) return Route.None;
  return connection.destination.port == 80 ? far : near;
}
`;
const POLICIES = new Map([
  ['request.ts', REQUEST],
  ['connection.ts', CONNECTION],
  ['shade.ts', REQUEST],
  ['dusk.ts', CONNECTION],
  ['route.ts', ROUTE],
]);
const SHADOW = ['shade', 'dusk'];
const NAMESPACES: Readonly<Record<string, readonly string[]>> = {
  request: ['prod', 'both', 'dusk'],
  connection: ['both', 'bare'],
  shade: ['shade'],
  dusk: ['dusk'],
  route: ['prod'],
};

const service = (namespace: string, n: number): string => `
  - name: web.${namespace}
    addresses: [10.96.0.${n}, "fd00:96::${n}"]
    ports: [{ port: 80, target: 8080, protocol: http }, { port: 81, target: 8081 }, { port: 82, target: 8080 }]
    clusters: [{ name: web/v1, selector: { app: web } }]`;
const SPACES = ['prod', 'both', 'bare', 'shade', 'dusk', 'none'];
const WORLD = `services:${SPACES.map((name, i) => service(name, i + 1)).join('')}
  - name: far.prod
    addresses: [10.96.1.1, "fd00:96:1::1"]
    ports: [{ port: 90, target: 9090 }]
    clusters: [{ name: far/v1, selector: { app: far } }]
  - name: near.prod
    addresses: [10.96.1.2, "fd00:96:1::2"]
    ports: [{ port: 70, target: 7070, protocol: http }]
    clusters: [{ name: near/v1, selector: { app: far } }]
workloads:
${SPACES.map((name, i) => `  - { name: web-a.${name}, addresses: [10.1.0.${i + 1}, "fd00:1::${i + 1}"], labels: { app: web } }`).join('\n')}
  - { name: far-a.prod, addresses: [10.1.1.1, "fd00:1:1::1"], labels: { app: far } }
  - { name: client.dev, addresses: [10.2.0.1, "fd00:2::1"], labels: { app: client } }
  - { name: other.dev, addresses: [10.2.0.2, "fd00:2::2"], labels: { app: other } }
  - { name: roamer.dev, addresses: [10.2.0.3, "fd00:2::3"], labels: { app: roamer } }
`;

const letBe = ['allow', 'requests', null, 'client'] as const;
const held = ['deny', 'default', null, 'client'] as const;
interface Row {
  readonly name: string;
  readonly from?: string;
  readonly to: string;
  readonly protocol?: 'udp';
  readonly want: readonly [
    Outcome['verdict'],
    Outcome['reason'],
    policy: string | null,
    Outcome['side'],
  ];
}
const rows: readonly Row[] = [
  { name: 'to a port with HTTP', to: 'web.prod:80', want: letBe },
  { name: 'to one without', to: 'web.prod:81', want: held },
  { name: 'to one without, at the same endpoint', to: 'web.prod:82', want: held },
  { name: 'to an endpoint of HTTP', to: 'web-a.prod:8080', want: letBe },
  { name: 'to another port of it', to: 'web-a.prod:8081', want: held },
  { name: 'by UDP', to: 'web-a.prod:8080', protocol: 'udp', want: held },
  {
    name: 'of a stranger',
    from: '203.0.113.9',
    to: '10.1.0.1:8080',
    want: ['allow', 'requests', null, 'server'],
  },
  {
    name: 'of a stranger, IPv6',
    from: '2001:db8::9',
    to: '[fd00:1::1]:8080',
    want: ['allow', 'requests', null, 'server'],
  },
  {
    name: 'of a stranger, elsewhere',
    from: '203.0.113.9',
    to: '10.1.0.1:8081',
    want: ['deny', 'default', null, 'server'],
  },
  {
    name: 'a policy speaks of connections',
    to: 'web.both:80',
    want: ['allow', 'policy', 'connection', 'client'],
  },
  {
    name: 'and has no opinion',
    from: 'other.dev',
    to: 'web.both:80',
    want: ['deny', 'noAllow', null, 'client'],
  },
  {
    name: 'and none of requests',
    to: 'web.bare:80',
    want: ['allow', 'policy', 'connection', 'client'],
  },
  { name: 'the policy about requests is in shadow mode', to: 'web.shade:80', want: letBe },
  { name: 'that about connections is in shadow mode', to: 'web.dusk:80', want: held },
  { name: 'no policy', to: 'web.none:80', want: held },
  {
    name: 'routed from HTTP to a port without: asked where it arrives',
    from: 'roamer.dev',
    to: 'web.prod:80',
    want: ['deny', 'default', null, 'server'],
  },
  {
    name: 'routed to HTTP from a port without: asked where it starts',
    from: 'roamer.dev',
    to: 'web.prod:81',
    want: held,
  },
];

const { world } = readWorld(WORLD, 'world.yaml');
if (world === null) throw new Error('the world does not read');
const inputs = rows.map(({ from = 'client.dev', to, protocol }): DecideInput => {
  const found = resolveConnect(world, { from, to, protocol: protocol ?? 'tcp' });
  if (!found.ok) throw new Error(found.fault.message);
  return { ...found.ends, random: 0, pick: 0, now: DEFAULT_NOW };
});

async function compile(): Promise<Bundle> {
  const policies = [...POLICIES.keys()].map((file) => {
    const isShadow = SHADOW.includes(file.replace('.ts', ''));
    return { file, mode: isShadow ? ('shadow' as const) : ('enforce' as const) };
  });
  const bundle = await mustCompile(POLICIES, { policies });
  const attached = bundle.manifest.policies.map((policy) => ({
    ...policy,
    attach: (NAMESPACES[policy.name] ?? []).map((namespace) => ({ namespace })),
  }));
  return { ...bundle, manifest: { ...bundle.manifest, policies: attached } };
}

const test = suite('path: whether a connection is asked about');
const engines: Record<string, readonly Outcome[]> = {};
test.before(async () => {
  const bundle = await compile();
  for (const [name, wasmtime] of [
    ['V8', null],
    ['Wasmtime', WASMTIME],
  ] as const) {
    await using simulator = await createSimulator(bundle, { world, wasmtime });
    engines[name] = await simulator.simulateAll(inputs);
  }
  const inline = createInlineDecider(bundle, world);
  engines['inline'] = inputs.map((input) => inline.describe(inline.decide(input)));
  using kernel = createKernelSimulator(openKernel(), bundle, world);
  engines['kernel'] = await kernel.simulateAll(inputs);
});

for (const [n, { name, want }] of rows.entries()) {
  for (const engine of ['V8', 'Wasmtime', 'inline', 'kernel']) {
    test(`${name}: ${engine}`, () => {
      const outcome = engines[engine]?.[n];
      const kernel = engines['kernel']?.[n];
      if (outcome === undefined || kernel === undefined) throw new Error('not decided');
      const { verdict, reason, policy, side } = outcome;
      assert.equal([verdict, reason, policy, side], want);
      assert.equal(compareEngines(outcome, kernel), []);
    });
  }
}

test.run();
