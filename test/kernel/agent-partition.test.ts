/** A partition between an agent and its control plane: a link that goes down and ends no connection. The node enforces, and comes back. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { REAL_CLOCK } from '../../runtime/control/wire/index.js';
import type { Patience } from '../../runtime/link/index.js';
import { agentEnv } from '../support/agent-env.js';
import { controlWorld, until } from '../support/control-world.js';
import { openRelay } from '../support/relay.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent in a partition');
const node = new ShopNode('partition');
const { cwd, paths, connectFrom } = node;
const SHORT: Patience = { askMs: 200, waitMs: 3000 };
const PLAN = JSON.stringify({
  stages: [{ stage: 'all', for: '0s' }],
  gates: { silence: '10m', confirm: '10m' },
});
const SPACE = `weft-part-${process.pid}`;
const [NEAR, FAR] = [`weftn${process.pid % 100_000}`, `weftf${process.pid % 100_000}`];
const [NEAR4, FAR4] = ['10.201.77.1', '10.201.77.2'];
/** What listens in the other namespace; a socket file is seen from both. */
const SERVE = `const net = require('node:net');
net.createServer((near) => {
  const far = net.connect(process.argv[1]);
  for (const [a, b] of [[near, far], [far, near]]) { a.pipe(b); a.on('error', () => b.destroy()); }
}).listen(7443, '${FAR4}', () => console.log('ready'));`;

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}

test.before(async () => {
  await node.make();
  const policy = join(cwd, 'shop/policies/isolation.ts');
  const text = readFileSync(policy, 'utf8');
  writeFileSync(policy, text.replace('return Verdict.Allow', 'return Verdict.Deny'));
  // Its cases are about the rule that was.
  writeFileSync(join(cwd, 'shop/scenario.yaml'), 'cases: []\n');
  const built = await node.run('build', 'shop', '--out', 'denying.weft');
  assert.is(built.exit, 0, built.stderr);
  ip('netns', 'add', SPACE);
  ip('link', 'add', NEAR, 'type', 'veth', 'peer', 'name', FAR, 'netns', SPACE);
  ip('addr', 'add', `${NEAR4}/30`, 'dev', NEAR);
  ip('link', 'set', NEAR, 'up');
  ip('-n', SPACE, 'addr', 'add', `${FAR4}/30`, 'dev', FAR);
  ip('-n', SPACE, 'link', 'set', FAR, 'up');
});
test.after(() => {
  ip('netns', 'del', SPACE);
  node.unload();
  node.remove();
});

test('the last good bundle is enforced while nothing comes through, and what was asked meanwhile after it', async () => {
  const world = await controlWorld();
  const stop = new AbortController();
  let log = '';
  const control = await world.control('one', REAL_CLOCK, { patience: SHORT });
  const path = join(world.folder, 'control.sock');
  const relay = await openRelay(control.port, path);
  const server = spawn('ip', ['netns', 'exec', SPACE, process.execPath, '-e', SERVE, path]);
  await new Promise((resolve) => server.stdout.once('data', resolve));
  const { ca, cert, key } = await world.authority.issue('node', 'node-1');
  const env = agentEnv(paths, stop.signal, {
    patience: SHORT,
    stderr: (text) => {
      log += text;
    },
  });
  const running = runAgent(
    [
      ...['--world', join(cwd, 'shop/world.yaml'), '--enrol', 'all', '--log', 'text', '--quiet'],
      ...['--control', `${FAR4}:7443`, '--ca', ca, '--cert', cert, '--key', key],
    ],
    env,
  );
  try {
    const admin = await world.admin(control.port);
    const put = async (file: string): Promise<string> => {
      const { digest, name } = await admin.putBundle(readFileSync(join(cwd, file)), null);
      await admin.apply({ name, digest, plan: PLAN });
      return digest;
    };
    const rollout = async () => (await admin.state()).rollouts[0];
    await until('known', async () => (await admin.state()).nodes.length === 1);
    const first = await put('shop.weft');
    await until('enrolled', () => log.includes('enrolled reviews.prod'));
    await until('done', async () => (await rollout())?.state === 'done');
    assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');

    ip('-n', SPACE, 'link', 'set', FAR, 'down');
    const second = await put('denying.weft');
    await until('the agent found out', () => log.includes('no control plane'));
    await until('the control plane found out', () => control.connected() === 0);
    assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'as before');
    assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'enforced');
    assert.is((await node.status())['active'], 1);
    assert.is((await rollout())?.state, 'running');
    assert.is((await admin.state()).nodes[0]?.active?.digest, first);

    ip('-n', SPACE, 'link', 'set', FAR, 'up');
    await until('taken', async () => (await admin.state()).nodes[0]?.active?.digest === second);
    await until('done', async () => (await rollout())?.state === 'done');
    assert.is(connectFrom('127.0.0.2', 9), 'EPERM', 'by the new bundle');
  } finally {
    stop.abort();
    assert.is(await running, 0, log);
    server.kill();
    await relay.close();
    await world.close();
  }
});

test.run();
