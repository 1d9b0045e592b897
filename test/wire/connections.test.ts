/** Connections that end, move and are renewed: what a node is sent again, and what it is not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Clock, REAL_CLOCK } from '../../runtime/control/wire/index.js';
import { controlWorld, testBundle, until } from '../support/control-world.js';

const test = suite('connections to control planes');
const ALL = JSON.stringify({ stages: [{ stage: 'all', for: '0s' }] });
/** Without waits: jitter is tested by itself. */
const AT_ONCE: Clock = { ...REAL_CLOCK, random: () => 0 };

test('a node moves to another control plane, and is sent nothing that it has', async () => {
  const world = await controlWorld();
  try {
    const one = await world.control('one');
    const two = await world.control('two');
    const admin = await world.admin(two.port);
    const { digest, name } = await admin.putBundle(testBundle('a'), null);
    const node = await world.node('node-1', { ports: [one.port, two.port], clock: AT_ONCE });
    await until('known', async () => (await admin.state()).nodes.length === 1);
    await admin.apply({ name, digest, plan: ALL });
    await until('applied', () => node.running().length === 1);
    await one.close();
    await until('moved', () => node.link.status().connected === `127.0.0.1:${two.port}`);
    await until('heard', async () => (await admin.state()).nodes[0]?.control === 'two');
    const next = await admin.putBundle(testBundle('b'), null);
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    await admin.apply({ name, digest: next.digest, plan: ALL });
    await until('again', () => node.running()[0]?.digest === next.digest);
    assert.equal(
      node.applied.map((item) => item.digest),
      [digest, next.digest],
    );
  } finally {
    await world.close();
  }
});

test('a renewed certificate is taken up by a second connection, and nothing is sent twice', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const admin = await world.admin(port);
    const { digest, name } = await admin.putBundle(testBundle('a'), null);
    const node = await world.node('node-1', { ports: [port], clock: AT_ONCE });
    await until('known', async () => (await admin.state()).nodes.length === 1);
    await admin.apply({ name, digest, plan: ALL });
    await until('applied', () => node.running().length === 1);
    await world.authority.issue('node', 'node-1');
    await until('renewed', () => node.log.some((line) => line.includes('renewed certificate')));
    assert.is(node.link.status().connected, `127.0.0.1:${port}`);
    assert.not.ok(
      node.log.some((line) => line.startsWith('no control plane')),
      'it was never without',
    );
    assert.is(node.applied.length, 1);
  } finally {
    await world.close();
  }
});

test('who has expired is not let in, and says so', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const hour = 3_600_000;
    const times = { now: Date.now() - 2 * hour, lifetimeMs: hour };
    const node = await world.node('late', { ports: [port], times });
    await until('told', () => (node.link.status().fault ?? '').includes('held until'));
    assert.is(node.link.status().connected, null);
    // A new certificate is taken for the next try.
    await world.authority.issue('node', 'late');
    await until('in', () => node.link.status().connected !== null);
  } finally {
    await world.close();
  }
});

test.run();
