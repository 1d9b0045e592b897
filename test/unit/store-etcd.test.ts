/** The store in etcd: the contract over three members of Debian's server, and what happens to it when they fall away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAuthority, issue } from '../../runtime/spiffe/authority.js';
import { openEtcd } from '../../runtime/store/etcd/etcd-store.js';
import { isCompacted, openStore } from '../../runtime/store/index.js';
import type { Store } from '../../runtime/store/types.js';
import { EtcdCluster, eventually } from '../support/etcd-cluster.js';
import { CONFORMANCE, codeOf, take } from '../support/store-conformance.js';

const test = suite('store: etcd');
let cluster: EtcdCluster;
let store: Store;
let turn = 0;

const open = (): Promise<Store> => openStore(`etcd:${cluster.urls.join(',')}`);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.before(async () => {
  cluster = await EtcdCluster.start(3);
  store = await eventually(open);
});
test.after(async () => {
  await store.close();
  await cluster.stop();
});

for (const [name, row] of Object.entries(CONFORMANCE)) {
  test(name, () => {
    turn += 1;
    return row(store, `t${turn}`);
  });
}

test('a list of many pages is of one moment', async () => {
  for (let i = 0; i < 200; i += 100) {
    await store.commit(
      [],
      Array.from({ length: 100 }, (_, j) => ({ key: `many/${1000 + i + j}`, value: text('1') })),
    );
  }
  const listing = store.list('many/');
  await store.commit([], [{ key: 'many/1199', value: null }]);
  const { entries, revision } = await listing;
  assert.ok(entries.every((entry) => entry.revision <= revision));
  assert.ok(entries.length === 200 || entries.length === 199);
  assert.is((await store.list('many/')).entries.length, 199);
});

test('what one client writes another sees; a lease of one lets go for the other', async () => {
  const other = await open();
  const { revision } = await other.list('shared/');
  const lease = await store.lease(10_000);
  await store.commit([], [{ key: 'shared/a', value: text('1'), lease }]);
  assert.is((await take(other, 'shared/', revision, 1)).length, 1);
  await lease.release();
  assert.is((await take(other, 'shared/', revision, 2))[1]?.[0]?.value, null);
  await other.close();
});

/** A call beside the store, for what it does not offer: compaction. */
function compact(revision: bigint): Promise<void> {
  const client = new Client(new URL(cluster.urls[0] ?? '').host, credentials.createInsecure());
  // CompactionRequest: field 1, the revision, as a varint.
  const bytes = [8];
  for (let left = revision; ; left >>= 7n) {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    if (left <= 0x7fn) break;
  }
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/etcdserverpb.KV/Compact',
      (request: Buffer) => request,
      (answer) => answer,
      Buffer.from(bytes),
      new Metadata(),
      (error) => {
        client.close();
        if (error === null) resolve();
        else reject(error);
      },
    );
  });
}

test('a watch from before a compaction is told so; a list and a watch from there go on', async () => {
  const { revision } = await store.list('c/');
  for (let i = 0; i < 5; i += 1) await store.commit([], [{ key: 'c/a', value: text(`${i}`) }]);
  const { revision: now } = await store.list('c/');
  await compact(now);
  try {
    await take(store, 'c/', revision, 1);
    assert.unreachable('no fault');
  } catch (error) {
    assert.ok(isCompacted(error), String(error));
  }
  await store.commit([], [{ key: 'c/a', value: text('last') }]);
  assert.is((await take(store, 'c/', now, 1)).length, 1);
});

for (const how of ['killed', 'frozen'] as const) {
  test(`one member ${how}: commits, watches and leases go on, each change once`, async () => {
    const prefix = `${how}/`;
    const { revision } = await store.list(prefix);
    const lease = await store.lease(6000);
    await store.commit([], [{ key: `${how}-leader`, value: text('me'), lease }]);
    const stop = new AbortController();
    const seen: string[] = [];
    const watchers = [await open(), await open(), await open()].map(async (client, i) => {
      for await (const changes of client.watch(prefix, revision, stop.signal)) {
        for (const { value } of changes) seen.push(`${i}:${Buffer.from(value ?? []).toString()}`);
        if (seen.filter((line) => line.startsWith(`${i}:`)).length === 30) break;
      }
      await client.close();
    });
    for (let i = 0; i < 30; i += 1) {
      if (i === 10) await (how === 'killed' ? cluster.kill(1) : cluster.freeze(1));
      const key = `${prefix}${i}`;
      const committed = await store.commit([{ key, revision: 0n }], [{ key, value: text(`${i}`) }]);
      assert.ok(committed !== null, `commit ${i}`);
    }
    await Promise.all(watchers);
    stop.abort();
    for (let i = 0; i < 3; i += 1) {
      assert.equal(
        seen.filter((line) => line.startsWith(`${i}:`)),
        Array.from({ length: 30 }, (_, n) => `${i}:${n}`),
      );
    }
    assert.not(lease.lost.aborted, 'the lease is kept');
    if (how === 'killed') cluster.restart(1);
    else cluster.thaw(1);
    await lease.release();
    assert.is(await store.get(`${how}-leader`), null);
  });
}

test('no majority: nothing is answered; the lease counts as lost by the time etcd lets it go', async () => {
  const impatient = await eventually(() =>
    openEtcd(
      cluster.urls.map((url) => new URL(url)),
      {},
      1000,
    ),
  );
  const lease = await impatient.lease(3000);
  await impatient.commit([], [{ key: 'lost-leader', value: text('me'), lease }]);
  const before = await impatient.get('lost-leader');
  await Promise.all([cluster.kill(0), cluster.kill(1)]);
  assert.match(await codeOf(() => impatient.get('a')), /D107/);
  const commit = (): Promise<unknown> =>
    impatient.commit([{ key: 'n', revision: 0n }], [{ key: 'n', value: text('1') }]);
  assert.match(await codeOf(commit), /D105|D107/);
  if (!lease.lost.aborted) {
    await new Promise((resolve) => lease.lost.addEventListener('abort', resolve, { once: true }));
  }
  cluster.restart(0);
  cluster.restart(1);
  // etcd gives a lease its whole span again after an election.
  await eventually(async () => {
    assert.is(await impatient.get('lost-leader'), null);
  });
  assert.ok(before !== null);
  await impatient.close();
});

test('nobody there, and not etcd', async () => {
  const nobody = [new URL('http://127.0.0.1:1')];
  assert.is(await codeOf(() => openEtcd(nobody, {}, 100)), 'D107');
  for (const place of [
    'etcd:',
    'etcd:h1:2379',
    'etcd:http://203.0.113.1:2379',
    'etcd:https://h1:2379/path',
    'etcd:https://h1:2379,',
  ]) {
    assert.is(await codeOf(() => openStore(place)), 'D101', place);
  }
});

test('over TLS: with our certificate, not without, not to another authority', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-etcd-keys-'));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const validity = { now: Date.now(), lifetimeMs: 3_600_000 };
  const authority = await createAuthority('mesh.test', validity);
  const stranger = await createAuthority('mesh.test', validity);
  const id = { trustDomain: 'mesh.test', kind: 'control', name: 'c1' } as const;
  const pair = await issue(authority, id, { ...validity, hosts: ['127.0.0.1'] });
  const files = {
    ca: file('ca.pem', authority.cert),
    cert: file('cert.pem', pair.cert),
    key: file('key.pem', pair.key),
  };
  const secure = await EtcdCluster.start(1, files);
  try {
    const urls = secure.urls.map((url) => new URL(url));
    const client = await eventually(() => openStore(`etcd:${secure.urls[0]}`, files));
    await client.commit([], [{ key: 'a', value: text('1') }]);
    await client.close();
    assert.is(await codeOf(() => openEtcd(urls, { ca: files.ca }, 100)), 'D108');
    const other = { ...files, ca: file('other.pem', stranger.cert) };
    assert.is(await codeOf(() => openEtcd(urls, other, 100)), 'D108');
    const missing = { ...files, key: join(folder, 'none.pem') };
    assert.is(await codeOf(() => openEtcd(urls, missing, 100)), 'D108');
  } finally {
    await secure.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
