/** Networks between nodes, control planes and their store that are slow, or say nothing and end nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Clock, REAL_CLOCK } from '../../runtime/control/wire/index.js';
import type { Patience } from '../../runtime/link/index.js';
import { openStore } from '../../runtime/store/index.js';
import { controlWorld, testBundle, until } from '../support/control-world.js';
import { EtcdCluster, eventually } from '../support/etcd-cluster.js';
import { openRelay } from '../support/relay.js';

const test = suite('networks');
const ALL = JSON.stringify({
  stages: [{ stage: 'all', for: '0s' }],
  gates: { silence: '10m', confirm: '10m' },
});
/** Without waits: jitter is tested by itself. */
const AT_ONCE: Clock = { ...REAL_CLOCK, random: () => 0 };
const SHORT: Patience = { askMs: 200, waitMs: 3000 };
/** A bundle takes three times as long as a sign of life may, and what was under way at once before (1 MiB) twice. */
const SLOW = 160 * 1024;
const LARGE = 1400 * 1024;

test('a slow network: what progresses is not given up', async () => {
  const world = await controlWorld();
  try {
    const control = await world.control('one', REAL_CLOCK, { patience: SHORT });
    const relay = await openRelay(control.port);
    const admin = await world.admin(control.port);
    const node = await world.node('far', { ports: [relay.port], clock: AT_ONCE, patience: SHORT });
    await until('known', async () => (await admin.state()).nodes.length === 1);
    relay.pace(SLOW);
    const { digest, name } = await admin.putBundle(testBundle('a', LARGE), null);
    await admin.apply({ name, digest, plan: ALL });
    await until('it came', () => node.running()[0]?.digest === digest);
    assert.ok(relay.passed > LARGE);
    assert.is(node.applied.length, 1);
    await until('told', async () => (await admin.state()).nodes[0]?.active?.digest === digest);
    await relay.close();
  } finally {
    await world.close();
  }
});

test('a network that falls silent: both sides find out, the node runs on, and comes back to what is desired', async () => {
  const world = await controlWorld();
  try {
    const control = await world.control('one', REAL_CLOCK, { patience: SHORT });
    const relay = await openRelay(control.port);
    const admin = await world.admin(control.port);
    const node = await world.node('far', { ports: [relay.port], clock: AT_ONCE, patience: SHORT });
    const first = await admin.putBundle(testBundle('a'), null);
    await until('known', async () => (await admin.state()).nodes.length === 1);
    await admin.apply({ name: first.name, digest: first.digest, plan: ALL });
    await until('it came', () => node.running()[0]?.digest === first.digest);
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    relay.freeze();
    const second = await admin.putBundle(testBundle('b'), null);
    await admin.apply({ name: second.name, digest: second.digest, plan: ALL });
    await until('the node found out', () => node.link.status().connected === null);
    await until('the control plane found out', () => control.connected() === 0);
    assert.is(node.running()[0]?.digest, first.digest);
    assert.is((await admin.state()).rollouts[0]?.state, 'running');
    relay.thaw();
    await until('it came back', () => node.running()[0]?.digest === second.digest);
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    assert.equal(
      node.applied.map((item) => item.digest),
      [first.digest, second.digest],
    );
    await relay.close();
  } finally {
    await world.close();
  }
});

test('a clock that is wrong: no connection, in words; it connects by itself once clock and certificates agree', async () => {
  const world = await controlWorld();
  const hour = 3_600_000;
  const [now, lifetimeMs] = [Date.now(), 24 * hour];
  try {
    // By a clock that is two days behind, its own certificate is one of the future.
    const one = await world.control('one');
    const ahead = { now: now + 48 * hour, lifetimeMs };
    const behind = await world.node('behind', { ports: [one.port], clock: AT_ONCE, times: ahead });
    await until('told', () => (behind.link.status().fault ?? '').includes('holds from'));
    // By one that is two days ahead, the control plane's is one of the past.
    const past = { now: now - 48 * hour, lifetimeMs };
    const two = await world.control('two', REAL_CLOCK, { times: past });
    const late = await world.node('ahead', { ports: [two.port], clock: AT_ONCE });
    await until('told', () => (late.link.status().fault ?? '').includes('expired'));
    for (const { link, running } of [behind, late]) {
      assert.is(link.status().connected, null);
      assert.equal(running(), []);
    }
    await world.authority.issue('node', 'behind');
    await until('in', () => behind.link.status().connected !== null);
    await world.authority.issue('control', 'two');
    await until('in', () => late.link.status().connected !== null);
  } finally {
    await world.close();
  }
});

test('a control plane that does not reach its store: its nodes run on, another one leads, and it takes part again', async () => {
  const world = await controlWorld();
  const cluster = await EtcdCluster.start(1);
  const [url = ''] = cluster.urls;
  const relay = await openRelay(Number(new URL(url).port));
  const near = await eventually(() => openStore(`etcd:${url}`));
  const far = await eventually(() => openStore(`etcd:http://127.0.0.1:${relay.port}`));
  try {
    const one = await world.control('one', REAL_CLOCK, { store: far });
    await until('one leads', async () => (await near.get('leader')) !== null);
    const two = await world.control('two', REAL_CLOCK, { store: near });
    const [atOne, atTwo] = [
      await world.node('at-one', { ports: [one.port], clock: AT_ONCE }),
      await world.node('at-two', { ports: [two.port], clock: AT_ONCE }),
    ];
    const admin = await world.admin(two.port);
    await until('known', async () => (await admin.state()).nodes.length === 2);
    const first = await admin.putBundle(testBundle('a'), null);
    await admin.apply({ name: first.name, digest: first.digest, plan: ALL });
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    const leader = async (): Promise<string> => {
      const entry = await near.get('leader');
      return entry === null ? '' : JSON.parse(new TextDecoder().decode(entry.value)).name;
    };
    assert.is(await leader(), 'one');
    relay.freeze();
    await until('two leads', async () => (await leader()) === 'two');
    const second = await admin.putBundle(testBundle('b'), null);
    await admin.apply({ name: second.name, digest: second.digest, plan: ALL });
    await until('the other goes on', () => atTwo.running()[0]?.digest === second.digest);
    assert.is(atOne.running()[0]?.digest, first.digest);
    assert.is(atOne.link.status().connected, `127.0.0.1:${one.port}`, 'its stream stays');
    assert.is((await admin.state()).rollouts[0]?.state, 'running');
    relay.thaw();
    await until('it came', () => atOne.running()[0]?.digest === second.digest);
    await until('done', async () => (await admin.state()).rollouts[0]?.state === 'done');
    assert.is(await leader(), 'two', 'who lost the lead changes nothing');
  } finally {
    await world.close();
    await Promise.all([near.close(), far.close()]);
    await relay.close();
    await cluster.stop();
  }
});

test.run();
