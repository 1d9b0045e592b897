/** The parts of the agent that need no kernel: lock, state document, paths, map contents, events. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generationEntries, generationSizes } from '../../runtime/agent/fill.js';
import { slotOf } from '../../runtime/agent/hooks.js';
import {
  type AgentError,
  type Paths,
  PlanError,
  readState,
  stage,
  withLock,
} from '../../runtime/agent/index.js';
import { encodeRoute, encodeU32, NONE } from '../../runtime/agent/layout.js';
import { type LoadOptions, load } from '../../runtime/agent/load.js';
import { type ObjectName, readObject } from '../../runtime/agent/objects.js';
import { cgroupPath, machinePaths } from '../../runtime/agent/paths.js';
import { writeState } from '../../runtime/agent/state.js';
import { planGeneration, readWorld } from '../../runtime/discovery/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { describeEvent, type EventNames, type KernelEvent } from '../../runtime/probe/index.js';
import { nodeFolders } from '../support/node-folders.js';
import { clusterRoute, manifestOf, policyEntry, verdictSite } from '../support/wat-bundle.js';

const test = suite('agent');
let paths: Paths;
test.before.each(() => {
  const run = mkdtempSync(join(tmpdir(), 'weft-agent-'));
  paths = { pins: '/nowhere', ...nodeFolders(run), cgroups: '/sys/fs/cgroup' };
});
test.after.each(() => rmSync(paths.run, { recursive: true, force: true }));

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
  }
  return 'nothing thrown';
};

test('changes run one after the other', async () => {
  const order: string[] = [];
  let enter = (): void => undefined;
  let leave = (): void => undefined;
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const first = withLock(paths, async () => {
    order.push('first in');
    enter();
    await left;
    order.push('first out');
  });
  await entered;
  const second = withLock(paths, () => order.push('second'));
  leave();
  await Promise.all([first, second]);
  assert.equal(order, ['first in', 'first out', 'second']);
  assert.equal(readdirSync(paths.run), []);
});

test('A025: the short circuit is refused where nothing bounds it, before anything is done', async () => {
  const kernel = { chargesRedirects: () => false } as Kernel;
  const options = { shortCircuit: true } as LoadOptions;
  const code = await load(kernel, paths, options).catch((error: AgentError) => error.code);
  assert.is(code, 'A025');
});

test('the lock of a process that died is taken over', async () => {
  writeFileSync(join(paths.run, 'lock'), '999999999 1');
  assert.is(await withLock(paths, () => 'in'), 'in');
  assert.equal(readdirSync(paths.run), []);
});

test('a change that throws gives the lock back', async () => {
  const broken = withLock(paths, () => {
    throw new Error('broken');
  });
  assert.is(await broken.catch((error: Error) => error.message), 'broken');
  assert.is(await withLock(paths, () => 'in'), 'in');
});

test('a living holder keeps the lock: A001 names it', async () => {
  const held = withLock(paths, () =>
    withLock(paths, () => 'never', { patience: 0 }).catch((error: Error & { code: string }) => [
      error.code,
      error.message,
    ]),
  );
  assert.equal(await held, ['A001', `process \`${process.pid}\` is changing this node`]);
});

test('a state document is read as written; none is empty; a damaged one is A005', () => {
  const empty = readState(paths);
  assert.equal(empty.generations, []);
  const state = { ...empty, lastError: { time: 'now', message: 'no' } };
  writeState(paths, state);
  assert.equal(readState(paths), state);
  for (const text of ['{', '[]', 'null', '{"generations": 1']) {
    writeFileSync(join(paths.run, 'state.json'), text);
    assert.is(
      codeOf(() => readState(paths)),
      'A005',
      text,
    );
  }
});

test('missing mounts and objects are errors of their own', () => {
  assert.is(
    codeOf(() => machinePaths({ bpffs: false, cgroup2: '/c' })),
    'A003',
  );
  assert.is(
    codeOf(() => machinePaths({ bpffs: true, cgroup2: null })),
    'A002',
  );
  assert.is(machinePaths({ bpffs: true, cgroup2: '/c' }).cgroups, '/c');
  assert.is(
    codeOf(() => readObject('absent' as ObjectName)),
    'A004',
  );
});

test('a cgroup is a path below the mount', () => {
  assert.is(cgroupPath(paths, '/shop/reviews'), '/sys/fs/cgroup/shop/reviews');
  assert.is(cgroupPath(paths, 'shop'), '/sys/fs/cgroup/shop');
});

test('consecutive generations never share a slot', () => {
  for (let n = 1; n < 10; n += 1) assert.is(new Set([n, n + 1, n + 2].map(slotOf)).size, 3);
});

const WORLD = `services:
  - name: ratings.prod
    addresses: [10.96.0.20]
    ports: [{ port: 80, target: 9080, protocol: tcp }]
    clusters: [{ name: ratings/v1, selector: { app: ratings } }]
workloads:
  - { name: ratings.prod, addresses: [10.1.0.6, "fd00::6"], labels: { app: ratings } }
`;

test('a plan becomes the contents of every map, and sizes that hold it', () => {
  const { world } = readWorld(WORLD, 'world.yaml');
  if (world === null) throw new Error('the world does not read');
  const manifest = manifestOf({
    policies: [policyEntry(0, 'p', { routes: 1 })],
    routes: [clusterRoute('ratings.prod/v1', 0)],
  });
  const entries = generationEntries(planGeneration(manifest, world), new Map([[0, 77n]]), manifest);
  const sizes = generationSizes(entries, 3);
  assert.is(entries.get('weft_services')?.length, 1);
  assert.is(entries.get('weft_workloads')?.length, 2);
  assert.is(entries.get('weft_identities')?.length, 1);
  assert.is(entries.get('weft_endpoints')?.length, 2, 'one of each family');
  assert.equal(entries.get('weft_routes'), [
    [encodeU32(0), encodeRoute('cluster', NONE)],
    [encodeU32(1), encodeRoute('cluster', 0)],
  ]);
  assert.is(sizes['weft_clusters'], 2);
  assert.is(sizes['weft_cursors'], 2);
  assert.is(sizes['weft_sites'], 4);
  const empty = generationEntries(
    planGeneration(manifestOf({}), { file: null, services: [], workloads: [] }),
    new Map(),
    manifestOf({}),
  );
  assert.is(generationSizes(empty, 0)['weft_services'], 1, 'the kernel refuses maps of no entry');
});

test('a world that lacks what the bundle names is refused before anything is loaded', () => {
  const manifest = manifestOf({
    policies: [policyEntry(0, 'p', { routes: 1 })],
    routes: [clusterRoute('reviews.prod/v9', 0)],
  });
  const objects = { base: new Uint8Array(), mayGoto: new Uint8Array() };
  const world = { file: null, services: [], workloads: [] };
  const untouched = {} as Kernel;
  const options = { generation: 1, nodeMaps: {}, cgroups: new Map(), clockOffset: 0n };
  try {
    stage(
      untouched,
      { manifest, wasm: new Map(), maps: new Map(), objects, cases: null, sbom: '' },
      world,
      options,
    );
    assert.unreachable();
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    assert.is(error.code, 'A021');
    assert.ok(error.diagnostics.some((d) => d.code === 'W120'));
  }
});

const ipv4 = (...bytes: number[]): Uint8Array =>
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
const RAW: KernelEvent = {
  time: 0n,
  cookie: 1n,
  cgroup: 1n,
  route: 0,
  family: 4,
  now: 1_767_225_600_123_456_789n,
  audited: 0n,
  shadowAllow: 2n,
  shadowDeny: 0n,
  source: ipv4(10, 1, 0, 4),
  destination: ipv4(10, 96, 0, 20),
  endpoint: ipv4(10, 1, 0, 6),
  generation: 3,
  verdict: 2,
  reason: 0,
  site: 2,
  policy: 0,
  routeSite: 1,
  service: 0,
  cluster: 0,
  sourceWorkload: 0,
  destinationWorkload: NONE,
  random: 11,
  pick: 12,
  sourcePort: 0,
  destinationPort: 80,
  endpointPort: 9080,
  protocol: 6,
  hook: 'connect4',
  open: false,
  request: null,
};
const NAMES: EventNames = {
  bundle: 'sha256:00',
  policies: [policyEntry(0, 'isolation', {}), policyEntry(1, 'trial', {})],
  sites: [
    verdictSite(1, 'policies/isolation.ts', 'allow'),
    verdictSite(2, 'policies/isolation.ts', 'deny'),
  ],
  services: ['ratings.prod'],
  clusters: ['ratings/v1'],
  workloads: [{ name: 'reviews.prod', principal: 'td/ns/prod/sa/reviews' }],
};

test('an event in words', () => {
  assert.equal(describeEvent(RAW, { node: 'node-a', names: NAMES, lost: 4 }), {
    time: '2026-01-01T00:00:00.123Z',
    node: 'node-a',
    hook: 'connect4',
    open: false,
    generation: 3,
    bundle: 'sha256:00',
    verdict: 'deny',
    reason: 'policy',
    shadow: [{ policy: 'trial', verdict: 'allow' }],
    audit: false,
    rule: 'isolation.ts:20',
    site: 2,
    policy: 'isolation',
    source: {
      address: '10.1.0.4',
      workload: 'reviews.prod',
      principal: 'td/ns/prod/sa/reviews',
    },
    destination: { address: '10.96.0.20:80', workload: null, principal: null },
    service: 'ratings.prod',
    cluster: 'ratings/v1',
    route: 'isolation.ts:10',
    endpoint: '10.1.0.6:9080',
    protocol: 'tcp',
    method: null,
    path: null,
    status: null,
    lost: 4,
    draw: { random: 11, pick: 12 },
  });
});

test('an event of a generation whose names are gone keeps its numbers', () => {
  const event = describeEvent(RAW, { node: 'n', names: null, lost: 0 });
  assert.is(event.rule, 'site 2');
  assert.is(event.bundle, null);
  assert.is(event.source.workload, null);
});

test('without a site the rule is `default`, or the reason', () => {
  const rule = (reason: number): string =>
    describeEvent({ ...RAW, site: 0, reason }, { node: 'n', names: NAMES, lost: 0 }).rule;
  assert.is(rule(1), 'default');
  assert.is(rule(2), 'default');
  assert.is(rule(5), 'unknownIdentity');
});

test('an IPv6 endpoint has brackets', () => {
  const endpoint = Uint8Array.of(0xfd, ...new Array<number>(14).fill(0), 6);
  const event = describeEvent({ ...RAW, endpoint }, { node: 'n', names: null, lost: 0 });
  assert.is(event.endpoint, '[fd00::6]:9080');
});

test.run();
