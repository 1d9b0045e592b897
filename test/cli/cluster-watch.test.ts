import { createServer } from 'node:http';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Paths } from '../../runtime/agent/paths.js';
import type { NodeReport } from '../../runtime/rollout/index.js';
import type { FakeControl } from '../support/fake-admin.js';
import { START } from '../support/rollout-nodes.js';
import { eachInBuiltProject } from './built-project.js';
import { type Transcript, weft } from './harness.js';
import { cluster, EVENT, PLACE, plain, RULE, runIn } from './on-cluster.js';

const test = suite('cluster: looking');
let folder = '';
eachInBuiltProject(test, 'shop.weft', (made) => {
  folder = made;
});

const run = (
  control: FakeControl,
  args: readonly string[],
  more: { readonly isTTY?: boolean } = {},
): Promise<Transcript> => runIn(folder, control, args, more);

test('status shows what each node runs, drift, refusals, silence and rules', async () => {
  const control = await cluster(3);
  await run(control, ['deploy', 'shop.weft', '--hold', '1s']);
  const fine = await run(control, ['status']);
  assert.is(fine.exit, 0);
  assert.match(fine.stdout, 'nodes  3, 0 silent, 0 not as desired');
  const { nodes: now, now: time } = await control.state();
  const [one, two, three] = now as [NodeReport, NodeReport, NodeReport];
  const other = `sha256:${'ee'.repeat(32)}`;
  await control.report([
    { ...one, rules: [RULE], active: { digest: other, name: 'shop', generation: 9 } },
    {
      ...two,
      rules: [
        { ...RULE, count: 2 },
        { ...RULE, verdict: 'deny', count: 1 },
      ],
    },
    { ...three, heard: time - 60_000 },
  ]);
  const { exit, stdout } = await run(control, ['status']);
  assert.is(exit, 5);
  assert.match(
    plain(stdout),
    /node-1 {2}zone=a {2}shop DIGEST {2}generation 9 {2}990 allowed {2}10 denied {2}0 lost {2}runs DIGEST, not DIGEST/,
  );
  assert.match(plain(stdout), /node-2 .* ok\n/);
  assert.match(plain(stdout), /node-3 .* silent for 60s\n/);
  assert.match(stdout, /policies\/a\.ts:7 {2}allow {2}42 {2}on 2 nodes/);
  const json = JSON.parse((await run(control, ['status', '-o', 'json'])).stdout);
  assert.equal(
    json.nodes.map((n: { node: string; isHeard: boolean }) => [n.node, n.isHeard]),
    [
      ['node-1', true],
      ['node-2', true],
      ['node-3', false],
    ],
  );
  assert.match(json.nodes[0].drift, 'runs sha256:eeee');
  assert.is(json.rollouts[0].state, 'done');
});

test('top ranks by rate between two looks', async () => {
  const control = await cluster(2);
  let look = 0;
  const admin = {
    ...control.admin,
    state: async () => {
      const watched = await control.admin.state();
      look += 1;
      const rules = [
        { ...RULE, count: 100 + look },
        { ...RULE, verdict: 'deny', count: 10 * look },
      ];
      const counters = { allowed: 100 * look, denied: look, lost: 0 };
      return {
        ...watched,
        now: START + 2000 * look,
        nodes: watched.nodes.map((n) => ({ ...n, rules, counters })),
      };
    },
  };
  const world = { cwd: folder, env: PLACE, openAdmin: async () => admin };
  const top = (...args: readonly string[]): Promise<Transcript> =>
    weft(['top', '--interval', '100ms', ...args], world);
  assert.is(
    (await top()).stdout,
    '10/s   40   policies/a.ts:7  deny\n1.0/s  204  policies/a.ts:7  allow\n',
  );
  look = 0;
  const json = JSON.parse((await top('--by', 'node', '-o', 'json')).stdout);
  assert.equal(json.top[0], { node: 'node-1', verdict: 'allow', count: 200, rate: 50 });
  look = 0;
  const lines = (await top('--by', 'policy', '--count', '2', '-o', 'ndjson')).stdout
    .trim()
    .split('\n');
  assert.is(lines.length, 2);
  assert.equal(JSON.parse(lines[1] ?? '').top[0], {
    policy: 'a',
    verdict: 'deny',
    count: 60,
    rate: 10,
  });
});

test('where an agent runs on the node, top and events ask it, and need no kernel', async () => {
  let looks = 0;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/v1/status') {
      looks += 1;
      const sites = [{ site: 1, rule: 'policies/a.ts:7', verdict: 'deny', count: String(looks) }];
      response.end(JSON.stringify({ policies: [{ name: 'a', sites }], reasons: {} }));
    } else if (request.url?.startsWith('/v1/events')) {
      response.end(`${JSON.stringify(EVENT)}\n`);
    } else {
      response.end('{}');
    }
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'agent.sock'), resolve));
  try {
    const paths = { run: folder } as Paths;
    const top = await weft(['top', '--interval', '100ms', '-o', 'json'], { cwd: folder, paths });
    assert.equal([top.exit, JSON.parse(top.stdout).top[0].count], [0, 2]);
    const events = await weft(['events', '--count', '1'], { cwd: folder, paths });
    assert.is(events.exit, 0);
    assert.match(events.stdout, 'deny  a.ts:7  batch.dev (10.2.0.9:1)');
    assert.ok(asked.includes('/v1/events?passing=true&limit=1'));
    const none = await weft(['events'], { cwd: folder, paths });
    assert.is(none.stdout, '');
    assert.match(none.stderr, '--follow shows them');
  } finally {
    server.close();
  }
  // Without an agent the kernel is asked, which this test has not.
  assert.is((await weft(['top'], { cwd: folder, paths: { run: folder } as Paths })).exit, 1);
});

test('events of a cluster, chosen there', async () => {
  const control = await cluster(1, { events: [EVENT, EVENT, EVENT] });
  const some = await run(control, [
    'events',
    '--count',
    '2',
    '--node',
    'node-1',
    '--verdict',
    'deny',
    '--workload',
    'batch.dev',
  ]);
  assert.is(some.exit, 0);
  assert.is(some.stdout.trim().split('\n').length, 2);
  assert.match(some.stdout, 'deny  a.ts:7  batch.dev (10.2.0.9:1) -> 10.2.0.1:80 tcp');
  assert.ok(
    control.asked.includes('events {"node":"node-1","workload":"batch.dev","verdict":"deny"}'),
  );
  const lines = (await run(control, ['events', '--count', '3', '-o', 'ndjson'])).stdout
    .trim()
    .split('\n');
  assert.equal(JSON.parse(lines[0] ?? '').node, 'node-1');
});

test.run();
