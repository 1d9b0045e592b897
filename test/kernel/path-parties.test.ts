/**
 * What a policy sees of the two sides at the end of the path through services and endpoints: the
 * addresses of the family, the attributes of the right side, the endpoint's port; and that every
 * policy of a workload is asked. By both engines, whose maps and plans are made from one world.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import {
  createSimulator,
  DEFAULT_NOW,
  type DecideInput,
  type Outcome,
  resolveConnect,
} from '../../runtime/simulate/index.js';
import { mustCompile } from '../support/compile-texts.js';

const POLICIES = new Map([
  [
    'known.ts',
    `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  const source = connection.source, address = source.address;
  if (!source.label("app").is("client") || !connection.destination.label("app").is("reviews")) return Verdict.Pass;
  if (connection.destination.port != 9080 || !connection.destination.namespace.is("prod")) return Verdict.Pass;
  if (address.isIPv4) return address.word(3) - 0x0a010008 < 2 ? Verdict.Allow : Verdict.Pass;
  return address.word(0) == 0xfd000001 && address.word(3) - 8 < 2 ? Verdict.Allow : Verdict.Pass;
}
`,
  ],
  [
    'banned.ts',
    `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.label("banned").exists ? Verdict.Deny : Verdict.Pass;
}
`,
  ],
]);
const WORLD = `
services:
  - name: reviews.prod
    addresses: [10.96.0.1, "fd00:96::1"]
    ports: [{ port: 80, target: 9080, protocol: http }]
    clusters: [{ name: reviews/v1, selector: { app: reviews } }]
workloads:
  - { name: reviews-a.prod, addresses: [10.1.0.4, "fd00:1::4"], labels: { app: reviews } }
  - { name: reviews-b.prod, addresses: [10.1.0.5, "fd00:1::5"], labels: { app: reviews } }
  - { name: good.prod, addresses: [10.1.0.9, "fd00:1::9"], labels: { app: client } }
  - { name: banned.prod, addresses: [10.1.0.8, "fd00:1::8"], labels: { app: client, banned: "1" } }
  - { name: far.prod, addresses: [10.1.0.20, "fd00:1::20"], labels: { app: client } }
  - { name: guest.dev, addresses: [10.2.0.9, "fd00:2::9"], labels: { app: client } }
`;

interface Row {
  readonly from: string;
  readonly to: string;
  readonly family: 4 | 6;
  readonly pick?: number;
  readonly want: readonly [
    verdict: Outcome['verdict'],
    reason: Outcome['reason'],
    policy: string | null,
    endpoint: string | null,
  ];
}
const pass = ['allow', 'policy', 'known'] as const;
const rows: readonly Row[] = [
  { from: 'good.prod', to: 'reviews.prod:80', family: 4, want: [...pass, '10.1.0.4:9080'] },
  {
    from: 'good.prod',
    to: 'reviews.prod:80',
    family: 4,
    pick: 1,
    want: [...pass, '10.1.0.5:9080'],
  },
  { from: 'good.prod', to: 'reviews.prod:80', family: 6, want: [...pass, '[fd00:1::4]:9080'] },
  {
    from: 'good.prod',
    to: 'reviews.prod:80',
    family: 6,
    pick: 3,
    want: [...pass, '[fd00:1::5]:9080'],
  },
  { from: 'good.prod', to: '10.1.0.5:9080', family: 4, want: [...pass, '10.1.0.5:9080'] },
  { from: 'good.prod', to: '[fd00:1::5]:9080', family: 6, want: [...pass, '[fd00:1::5]:9080'] },
  {
    from: 'good.prod',
    to: '10.1.0.5:9081',
    family: 4,
    want: ['deny', 'noAllow', null, '10.1.0.5:9081'],
  },
  {
    from: 'far.prod',
    to: 'reviews.prod:80',
    family: 4,
    want: ['deny', 'noAllow', null, '10.1.0.4:9080'],
  },
  {
    from: 'far.prod',
    to: 'reviews.prod:80',
    family: 6,
    want: ['deny', 'noAllow', null, '[fd00:1::4]:9080'],
  },
  {
    from: 'banned.prod',
    to: 'reviews.prod:80',
    family: 4,
    want: ['deny', 'policy', 'banned', '10.1.0.4:9080'],
  },
  {
    from: 'banned.prod',
    to: 'reviews.prod:80',
    family: 6,
    want: ['deny', 'policy', 'banned', '[fd00:1::4]:9080'],
  },
  // The policies are those of the destination's namespace, not of the source's.
  {
    from: 'good.prod',
    to: '10.2.0.9:9080',
    family: 4,
    want: ['deny', 'default', null, '10.2.0.9:9080'],
  },
];

const { world } = readWorld(WORLD, 'world.yaml');
if (world === null) throw new Error('the world does not read');
const inputs = rows.map(({ from, to, family, pick = 0 }): DecideInput => {
  const found = resolveConnect(world, { from, to, family });
  if (!found.ok) throw new Error(found.fault.message);
  return { ...found.ends, random: 0, pick, now: DEFAULT_NOW };
});
const brief = ({ verdict, reason, policy, endpoint }: Outcome) => [
  verdict,
  reason,
  policy,
  endpoint,
];

const test = suite('path: parties');
let wasm: readonly Outcome[] = [];
let kernel: readonly Outcome[] = [];
test.before(async () => {
  const bundle = await mustCompile(POLICIES);
  await using simulator = await createSimulator(bundle, { world });
  wasm = await simulator.simulateAll(inputs);
  using both = createKernelSimulator(openKernel(), bundle, world);
  kernel = await both.simulateAll(inputs);
});

for (const [n, { from, to, family, want }] of rows.entries()) {
  for (const name of ['wasm', 'kernel'] as const) {
    test(`${n}: ${from} -> ${to}, IPv${family}, in ${name}`, () => {
      const outcome = (name === 'wasm' ? wasm : kernel)[n];
      assert.ok(outcome);
      assert.equal(outcome && brief(outcome), want);
    });
  }
}

test.run();
