/** The store in memory, and what the ledger behind it and the folder form keeps. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isCompacted, isStoreError, memoryStore } from '../../runtime/store/index.js';
import { CONFORMANCE, codeOf, take } from '../support/store-conformance.js';

const test = suite('store: memory');

for (const [name, row] of Object.entries(CONFORMANCE)) {
  test(name, async () => {
    const store = memoryStore();
    await row(store, 'p');
    await store.close();
  });
}

test('a watch that fell behind is told so, one that did not goes on', async () => {
  const store = memoryStore();
  const { revision } = await store.list('');
  for (let i = 0; i < 4097; i += 1) {
    await store.commit([], [{ key: 'a', value: Uint8Array.of(i & 0xff) }]);
  }
  assert.is((await take(store, 'a', revision + 1n, 1)).length, 1);
  try {
    await take(store, 'a', revision, 1);
    assert.unreachable('no fault');
  } catch (error) {
    assert.ok(isCompacted(error), String(error));
  }
  await store.close();
});

test('large values are not kept for those who watch', async () => {
  const store = memoryStore();
  const { revision } = await store.list('');
  for (let i = 0; i < 40; i += 1) {
    await store.commit([], [{ key: 'a', value: new Uint8Array(1 << 20) }]);
  }
  assert.is(await codeOf(() => take(store, 'a', revision, 1)), 'D102');
  await store.close();
});

test('leases that ran out let their keys go', async () => {
  const store = memoryStore();
  const lease = await store.lease(1000);
  await store.commit([], [{ key: 'leader', value: Uint8Array.of(1), lease }]);
  await store.expireLeases();
  assert.ok(lease.lost.aborted);
  assert.is(await store.get('leader'), null);
  await store.close();
});

test('a lease that ends while its commit waits takes the key along', async () => {
  const store = memoryStore();
  const lease = await store.lease(1000);
  const committed = store.commit([], [{ key: 'leader', value: Uint8Array.of(1), lease }]);
  await lease.release();
  await committed;
  assert.is(await store.get('leader'), null);
  await store.close();
});

test('a closed store ends its watches and answers nothing', async () => {
  const store = memoryStore();
  const done = take(store, '', 1n, 1);
  await store.close();
  await store.close();
  assert.equal(await done, []);
  for (const ask of [
    () => store.get('a'),
    () => store.list(''),
    () => store.commit([], []),
    () => store.lease(1000),
    () => take(store, '', 1n, 1),
  ]) {
    assert.is(await codeOf(ask), 'D110');
  }
});

test('faults of the store are known by their code', () => {
  assert.ok(isStoreError(Object.assign(new Error('x'), { code: 'D101' })));
  assert.not(isStoreError(Object.assign(new Error('x'), { code: 'A001' })));
  assert.not(isCompacted(Object.assign(new Error('x'), { code: 'D103' })));
});

test.run();
