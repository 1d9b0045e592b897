/** A rollout's shadow stage on a real node: what the new bundle would decide is counted, and turns the rollout round. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runAgent } from '../../runtime/agent/run-agent.js';
import { agentEnv } from '../support/agent-env.js';
import { controlWorld, until } from '../support/control-world.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('rollout in shadow');
const node = new ShopNode('shadow');
const { cwd, paths, connectFrom } = node;
const ALL = JSON.stringify({ stages: [{ stage: 'all', for: '0s' }] });
const SHADOW = JSON.stringify({
  stages: [{ stage: 'shadow', for: '1h' }, { stage: 'all' }],
  gates: { atLeast: 3, differences: 0.5, silence: '10m', confirm: '10m' },
});

test.before(() => node.make());
test.after.each(() => node.unload());
test.after(() => node.remove());

test('one rule is another: each connection is counted by both lines, and the rollout is undone', async () => {
  const policy = join(cwd, 'shop/policies/isolation.ts');
  writeFileSync(
    policy,
    readFileSync(policy, 'utf8').replace('return Verdict.Allow', 'return Verdict.Deny'),
  );
  // Its cases are about the rule that was.
  writeFileSync(join(cwd, 'shop/scenario.yaml'), 'cases: []\n');
  const built = await node.run('build', 'shop', '--out', 'denying.weft');
  assert.is(built.exit, 0, built.stderr);
  const world = await controlWorld();
  const stop = new AbortController();
  let log = '';
  const take = (text: string): void => {
    log += text;
  };
  const control = await world.control();
  const { ca, cert, key } = await world.authority.issue('node', 'node-1');
  const files = [
    '--ca',
    ca,
    '--cert',
    cert,
    '--key',
    key,
    '--control',
    `127.0.0.1:${control.port}`,
  ];
  const args = ['--world', join(cwd, 'shop/world.yaml'), '--enrol', 'all', '--log', 'text'];
  const running = runAgent([...args, ...files], agentEnv(paths, stop.signal, { stderr: take }));
  try {
    const admin = await world.admin(control.port);
    await until('known', async () => (await admin.state()).nodes.length === 1);
    const old = await admin.putBundle(readFileSync(join(cwd, 'shop.weft')), null);
    await admin.apply({ name: old.name, digest: old.digest, plan: ALL });
    await until('enrolled', () => log.includes('enrolled reviews.prod'));
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    const denying = await admin.putBundle(readFileSync(join(cwd, 'denying.weft')), null);
    await admin.apply({ name: denying.name, digest: denying.digest, plan: SHADOW });
    await until(
      'in shadow',
      async () => (await admin.state()).nodes[0]?.shadow?.digest === denying.digest,
    );
    // Still decided by the old one: let through to where nobody listens.
    for (let i = 0; i < 3; i += 1) assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED');
    await until('undone', async () => (await admin.state()).rollouts[0]?.state === 'undone');
    const { rollouts, nodes } = await admin.state();
    assert.match(
      rollouts[0]?.reason ?? '',
      /^node-1 differs in 100 % of \d+ verdicts, mostly isolation\.ts:10 where isolation\.ts:10 decided$/,
    );
    assert.is(nodes[0]?.active?.digest, old.digest);
    await until('it ends', async () => (await admin.state()).nodes[0]?.shadow === null);
    assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED');
  } finally {
    stop.abort();
    assert.is(await running, 0, log);
    await world.close();
  }
});

test.run();
