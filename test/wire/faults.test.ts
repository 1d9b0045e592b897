/** What goes wrong between operators, control planes and their store, by code. */
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { putBundle, readBundle } from '../../runtime/control/bundles.js';
import { openAdmin } from '../../runtime/control/client/index.js';
import { openControl } from '../../runtime/control/index.js';
import { MAX_RESOURCE_BYTES, REAL_CLOCK } from '../../runtime/control/wire/index.js';
import { watchKeys } from '../../runtime/spiffe/index.js';
import { memoryStore, type Store } from '../../runtime/store/index.js';
import { controlWorld, testBundle, until } from '../support/control-world.js';

const test = suite('faults of a control plane');
const DIGEST = `sha256:${'a'.repeat(64)}`;

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
  return 'nothing thrown';
}

const stored = (bytes: number) => ({
  ...{ name: 'shop', bundle: new Uint8Array(bytes), signatures: null },
});

test('a bundle lies in the store in pieces, and comes back whole or not at all', async () => {
  const store = memoryStore();
  const bundle = Buffer.from(Array.from({ length: 1_300_000 }, (_, i) => i % 251));
  const signatures = Buffer.from('signed\n');
  assert.is(await codeOf(() => readBundle(store, DIGEST)), 'C021');
  await putBundle(store, DIGEST, { name: 'shop', bundle, signatures });
  const back = await readBundle(store, DIGEST);
  assert.ok(bundle.equals(back.bundle));
  assert.ok(signatures.equals(back.signatures ?? new Uint8Array()));
  const key = `bundles/${DIGEST}/1`;
  const piece = await store.get(key);
  const altered = Buffer.from(piece?.value ?? []);
  altered.writeUInt8(altered.readUInt8(7) ^ 1, 7);
  await store.commit([], [{ key, value: altered }]);
  assert.is(await codeOf(() => readBundle(store, DIGEST)), 'C022');
  await store.commit([], [{ key, value: null }]);
  assert.is(await codeOf(() => readBundle(store, DIGEST)), 'C022');
  await store.commit([], [{ key: `bundles/${DIGEST}`, value: Buffer.from('{"size":1e99}') }]);
  assert.is(await codeOf(() => readBundle(store, DIGEST)), 'C022');
});

test('a bundle that nodes could not be given is refused', async () => {
  const store = memoryStore();
  const over = MAX_RESOURCE_BYTES - 4096 + 1;
  assert.is(await codeOf(() => putBundle(store, DIGEST, stored(over))), 'C020');
  assert.equal((await store.list('bundles/')).entries, []);
  await putBundle(store, DIGEST, stored(over - 1));
});

test('operators are operators, control planes are control planes', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const place = { control: [`127.0.0.1:${port}`] };
    const asNode = openAdmin({ ...place, ...(await world.authority.issue('node', 'eve')) });
    assert.is(await codeOf(() => asNode.state()), 'C041');
    assert.is(await codeOf(() => asNode.putBundle(testBundle('a'), null)), 'C041');
    assert.is(await codeOf(() => asNode.change('shop', 'undo')), 'C041');
    await asNode.close();
    const keys = watchKeys(await world.authority.issue('node', 'eve'), { onFault: () => {} });
    const options = { store: world.store, keys, clock: REAL_CLOCK, onFault: () => {} };
    const listen = '127.0.0.1:0';
    assert.is(await codeOf(() => openControl({ ...options, listen })), 'C024');
    keys.close();
  } finally {
    await world.close();
  }
});

test('a bundle that is put again with other signatures is sent again, and nothing else is', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const admin = await world.admin(port);
    const node = await world.node('node-1', { ports: [port] });
    await until('known', async () => (await admin.state()).nodes.length === 1);
    const bytes = testBundle('a');
    const { digest, name } = await admin.putBundle(bytes, Buffer.from('one\n'));
    await admin.apply({ name, digest, plan: JSON.stringify({ stages: [{ stage: 'all' }] }) });
    await until('it came', () => node.applied.length === 1);
    await admin.putBundle(bytes, Buffer.from('one\n'));
    await admin.putBundle(bytes, Buffer.from('two\n'));
    await until('again', () => node.applied.length > 1);
    const signatures = node.applied.map((item) => Buffer.from(item.signatures ?? []).toString());
    assert.equal(signatures, ['one\n', 'two\n']);
  } finally {
    await world.close();
  }
});

test('an address that is taken, and one where nobody is', async () => {
  const world = await controlWorld();
  const server = createServer();
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    const keys = watchKeys(await world.authority.issue('control', 'two'), { onFault: () => {} });
    const options = { store: world.store, keys, clock: REAL_CLOCK, onFault: () => {} };
    const listen = `127.0.0.1:${port}`;
    assert.is(await codeOf(() => openControl({ ...options, listen })), 'C023');
    keys.close();
    server.close();
    const admin = await world.admin(port);
    assert.is(await codeOf(() => admin.state()), 'C040');
  } finally {
    server.close();
    await world.close();
  }
});

test('who reaches no control plane hears why, each address, and the time of a certificate', async () => {
  const world = await controlWorld();
  const plain = createServer((socket) => socket.on('error', () => {}).end('no TLS'));
  try {
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = await world.control();
    const at = plain.address();
    const other = typeof at === 'object' && at !== null ? at.port : 0;
    const hour = 3_600_000;
    const times = { now: Date.now() - 2 * hour, lifetimeMs: hour };
    const ann = await world.authority.issue('operator', 'ann');
    const late = await world.authority.issue('operator', 'late', times);
    const why = async (paths: typeof ann, ports: readonly number[]): Promise<string> => {
      const admin = openAdmin({ control: ports.map((of) => `127.0.0.1:${of}`), ...paths });
      try {
        await admin.state();
        return 'answered';
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    const [nobody, noTls, expired, fine] = await Promise.all([
      ...[why(ann, [1]), why(ann, [other]), why(late, [port]), why(ann, [port])],
    ]);
    assert.is(nobody, 'no control plane answers: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1');
    assert.match(noTls ?? '', `127.0.0.1:${other}: no TLS is agreed on: wrong version number`);
    assert.match(expired ?? '', /: it ends the connection; the certificate of .*late held until /);
    assert.is(fine, 'answered');
  } finally {
    plain.close();
    await world.close();
  }
});

test('of several control planes one that answers is asked', async () => {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const paths = await world.authority.issue('operator', 'ann');
    const admin = openAdmin({ control: ['127.0.0.1:1', `127.0.0.1:${port}`], ...paths });
    assert.equal((await admin.state()).nodes, []);
    await admin.close();
  } finally {
    await world.close();
  }
});

test('a store that fails is told as such', async () => {
  const world = await controlWorld();
  try {
    const { store } = world;
    const broken: Store = {
      get: (key) => store.get(key),
      list: (prefix) => store.list(prefix),
      watch: (prefix, from, signal) => store.watch(prefix, from, signal),
      lease: (ttl) => store.lease(ttl),
      close: () => store.close(),
      commit: () => Promise.reject(new Error('no space left on device')),
    };
    const keys = watchKeys(await world.authority.issue('control', 'two'), { onFault: () => {} });
    const listen = '127.0.0.1:0';
    const control = await openControl({
      ...{ store: broken, keys, listen, clock: REAL_CLOCK, onFault: () => {} },
    });
    const admin = await world.admin(control.port);
    const error: unknown = await admin.putBundle(testBundle('a'), null).catch((e: unknown) => e);
    assert.is(Reflect.get(Object(error), 'code'), 'C042');
    assert.match(String(error), /no space left/);
    await control.close();
    keys.close();
  } finally {
    await world.close();
  }
});

test.run();
