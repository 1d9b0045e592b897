/**
 * What brings bundles to a node sees of it: applied, refused, tried in shadow, found again by whoever
 * starts after the agent or the machine did.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { decodeBundle } from '../../compiler/index.js';
import {
  type NodeBundles,
  openNodeBundles,
  readGood,
  trustPolicyOf,
} from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel, removePinTree } from '../../runtime/kernel/index.js';
import { breakObject } from '../support/break-object.js';
import { ShopNode, shopWorld } from './fixtures/shop-node.js';

const test = suite('agent bundles');
const node = new ShopNode('bundles');
const { cwd, paths, run, connectFrom } = node;
let now = new Date();
let text = shopWorld(node.name);

/** As a process that starts sees the node: nothing is remembered. */
function open(): NodeBundles {
  const world = () => {
    const read = readWorld(text, 'world.yaml').world;
    if (read === null) throw new Error('the world is not read');
    return read;
  };
  return openNodeBundles({
    ...{ kernel: openKernel(), paths, world, now: () => now, clockOffset: () => 0n },
    trust: () => trustPolicyOf(paths, null),
  });
}

/** What a restart of the machine leaves: the disk. */
function restart(): void {
  removePinTree(paths.pins);
  for (const name of readdirSync(paths.run)) {
    if (name !== 'lib' && name !== 'etc') rmSync(join(paths.run, name), { recursive: true });
  }
}

const bytesOf = (file: string): Uint8Array => readFileSync(join(cwd, file));
const signaturesOf = (file: string): Uint8Array => bytesOf(`${file}.sigstore.jsonl`);

function assertEnforced(): void {
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'no workload: the default');
}

let shop: Uint8Array;
let other: Uint8Array;
let digests: { readonly shop: string; readonly other: string };
const changed = (change: (bundle: Bundle) => Bundle): Uint8Array => {
  const decoded = decodeBundle(shop);
  if (!decoded.ok) throw new Error('the bundle does not decode');
  return encodeBundle(change(decoded.bundle));
};
const digestOf = (bytes: Uint8Array): string => {
  const decoded = decodeBundle(bytes);
  return decoded.ok ? decoded.digest : '';
};

test.before(async () => {
  await node.make();
  shop = bytesOf('shop.weft');
  other = changed((bundle) => ({ ...bundle, manifest: { ...bundle.manifest, fuel: 4321 } }));
  writeFileSync(join(cwd, 'other.weft'), other);
  digests = { shop: digestOf(shop), other: digestOf(other) };
  await run('keygen', '--out', 'alice');
});
test.after.each(() => {
  node.unload();
  now = new Date();
  text = shopWorld(node.name);
  for (const folder of [paths.lib, paths.etc]) rmSync(folder, { recursive: true, force: true });
  rmSync(join(cwd, 'shop.weft.sigstore.jsonl'), { force: true });
});
test.after(() => node.remove());

test('a bundle is applied once, and what differs from what runs is applied again', async () => {
  assert.is(open().active(), null);
  assert.is(await open().boot(), null, 'this node never ran one');
  assert.equal(await open().apply(shop, null, 'enforce'), { ok: true, generation: 1 });
  assert.equal(open().active(), { generation: 1, digest: digests.shop, name: 'shop' });
  assert.equal(await open().apply(shop, null, 'enforce'), { ok: true, generation: 1 }, 'the same');
  assert.equal(await open().apply(other, null, 'enforce'), { ok: true, generation: 2 });
  text = text.replace('target: 9', 'target: 10');
  assert.equal(await open().apply(other, null, 'enforce'), { ok: true, generation: 3 }, 'a world');
  assert.is((await open().rollback(2)).generation, 2);
  assert.is(open().active()?.digest, digests.other);
  assert.is(open().status().active, 2);
});

test('what is refused says why and where, and what ran runs on', async () => {
  await open().apply(shop, null, 'enforce');
  await run('enrol', 'reviews.prod');
  const refused = async (bytes: Uint8Array, mode: 'enforce' | 'shadow' = 'enforce') => {
    const applied = await open().apply(bytes, null, mode);
    if (applied.ok) throw new Error('it was applied');
    assert.is(open().active()?.generation, 1);
    assertEnforced();
    assert.is(readGood(paths)?.digest, digests.shop);
    assert.match(open().status().lastError?.message ?? '', /./);
    return applied;
  };
  const broken = changed((bundle) => {
    const object = breakObject(bundle.objects.base);
    return { ...bundle, objects: { base: object, mayGoto: object } };
  });
  const verified = await refused(broken);
  assert.is(verified.code, 'KERNEL_VERIFIER');
  assert.match(verified.message, 'the verifier refused program');
  assert.is((await refused(broken, 'shadow')).code, 'KERNEL_VERIFIER', 'before any canary');
  const cut = await open().apply(shop.subarray(0, 1000), null, 'enforce');
  assert.ok(!cut.ok && /^B10\d$/.test(cut.code), JSON.stringify(cut));
});

test('a shadow is staged and released: nothing of it decides or stays', async () => {
  assert.equal(await open().apply(shop, null, 'shadow'), { ok: true, generation: 0 });
  assert.is(open().active(), null);
  assert.is(readGood(paths), null);
  await open().apply(shop, null, 'enforce');
  assert.equal(await open().apply(other, null, 'shadow'), { ok: true, generation: 1 });
  assert.equal(open().active()?.digest, digests.shop);
  assert.equal(readdirSync(join(paths.pins, 'generations')), ['1']);
});

test('a start finds what is pinned, a start of the machine what lies on disk', async () => {
  await open().apply(shop, null, 'enforce');
  await open().apply(other, null, 'enforce');
  assert.equal(await open().boot(), { ok: true, generation: 2 });
  restart();
  assert.is(open().active(), null);
  assert.equal(await open().boot(), { ok: true, generation: 1 });
  assert.is(open().active()?.digest, digests.other);
  await open().apply(shop, null, 'enforce');
  await open().rollback();
  restart();
  await open().boot();
  assert.is(open().active()?.digest, digests.other, 'a way back is one for the next start too');
  const laid = readdirSync(join(paths.lib, 'bundles')).filter((name) => name.endsWith('.weft'));
  assert.is(laid.length, 1);
});

test('a start mends what was taken from the pins', async () => {
  await open().apply(shop, null, 'enforce');
  await run('enrol', 'reviews.prod');
  rmSync(join(paths.pins, 'generations/1/programs/weft_connect4'));
  assert.equal(await open().boot(), { ok: true, generation: 2 });
  using slots = openKernel().openMap(join(paths.pins, 'node/maps/weft_slots_connect4'));
  slots.delete(Uint8Array.of(2, 0, 0, 0));
  assert.is(connectFrom('127.0.0.2', 9), 'EPERM', 'fails closed meanwhile');
  assert.match(String(open().status().generations[1]?.breaks), 'hook connect4 runs nothing');
  assert.equal(await open().boot(), { ok: true, generation: 3 });
  assertEnforced();
});

test('a last good bundle that is damaged is told, and what is pinned runs on', async () => {
  await open().apply(shop, null, 'enforce');
  const [name = ''] = readdirSync(join(paths.lib, 'bundles')).filter((n) => n.endsWith('.weft'));
  rmSync(join(paths.pins, 'generations/1/programs/weft_connect4'));
  writeFileSync(join(paths.lib, 'bundles', name), shop.subarray(0, 5000));
  const cut = await open().boot();
  assert.ok(cut !== null && !cut.ok && cut.code === 'B102');
  rmSync(join(paths.lib, 'bundles', name));
  const gone = await open().boot();
  assert.ok(gone !== null && !gone.ok && gone.code === 'A032');
  assert.is(open().active()?.generation, 1);
});

/** A policy of this node by which alice vouches. */
function trustAlice(): void {
  const key = readFileSync(join(cwd, 'alice.pub'), 'utf8');
  mkdirSync(paths.etc, { recursive: true });
  writeFileSync(join(paths.etc, 'trust.json'), JSON.stringify({ keys: [{ name: 'alice', key }] }));
}

test('clock skew: new bundles are refused, what ran here runs on and is booted again', async () => {
  trustAlice();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await run('sign', 'shop.weft', '--key', 'alice.key', '--as-version', '3', '--not-after', until);
  const applied = await open().apply(shop, signaturesOf('shop.weft'), 'enforce');
  assert.equal(applied, { ok: true, generation: 1 });
  for (const wrong of ['1970-01-01T00:00:00Z', '2100-01-01T00:00:00Z']) {
    now = new Date(wrong);
    const refused = await open().apply(shop, signaturesOf('shop.weft'), 'shadow');
    const isEarly = wrong.startsWith('1970');
    assert.ok(isEarly ? refused.ok : !refused.ok && refused.code === 'V106', wrong);
    assert.is(open().active()?.generation, 1);
    restart();
    assert.equal(await open().boot(), { ok: true, generation: 1 }, 'by the time of its admission');
  }
});

test('a bundle that is kept is gone back to, though its version is lower; another of that version is refused', async () => {
  trustAlice();
  const sign = async (file: string, version: string): Promise<void> => {
    rmSync(join(cwd, `${file}.sigstore.jsonl`), { force: true });
    const signed = await run('sign', file, '--key', 'alice.key', '--as-version', version);
    assert.is(signed.exit, 0, signed.stderr);
  };
  await sign('shop.weft', '3');
  await sign('other.weft', '4');
  await open().apply(shop, signaturesOf('shop.weft'), 'enforce');
  await open().apply(other, signaturesOf('other.weft'), 'enforce');
  const undone = await open().apply(shop, signaturesOf('shop.weft'), 'enforce');
  assert.equal(undone, { ok: true, generation: 1 });
  text = text.replace('target: 9', 'target: 10');
  const elsewhere = await open().apply(shop, signaturesOf('shop.weft'), 'enforce');
  assert.equal(elsewhere, { ok: true, generation: 3 }, 'the world has changed meanwhile');
  const older = changed((bundle) => ({ ...bundle, manifest: { ...bundle.manifest, fuel: 4322 } }));
  writeFileSync(join(cwd, 'older.weft'), older);
  await sign('older.weft', '3');
  const refused = await open().apply(older, signaturesOf('older.weft'), 'enforce');
  assert.ok(!refused.ok && refused.code === 'V108');
});

test('what runs comes again with other signatures: they are asked, and kept for the next start', async () => {
  trustAlice();
  const sign = ['sign', 'shop.weft', '--as-version', '3', '--key'];
  await run(...sign, 'alice.key');
  const first = signaturesOf('shop.weft');
  assert.equal(await open().apply(shop, first, 'enforce'), { ok: true, generation: 1 });
  await run('keygen', '--out', 'carol');
  await run(...sign, 'carol.key');
  const both = signaturesOf('shop.weft');
  assert.equal(await open().apply(shop, both, 'enforce'), { ok: true, generation: 1 });
  assert.is(readGood(paths)?.signatures.length, 2, 'kept');
  const refused = await open().apply(shop, null, 'enforce');
  assert.ok(!refused.ok && refused.code === 'V101', JSON.stringify(refused));
  assert.is(readGood(paths)?.signatures.length, 2, 'those from before stay');
  assert.is(open().active()?.generation, 1);
  restart();
  assert.equal(await open().boot(), { ok: true, generation: 1 });
});

test('a key that left the trust policy does not boot', async () => {
  trustAlice();
  await run('sign', 'shop.weft', '--key', 'alice.key', '--as-version', '3');
  await open().apply(shop, signaturesOf('shop.weft'), 'enforce');
  await run('keygen', '--out', 'bob');
  const key = readFileSync(join(cwd, 'bob.pub'), 'utf8');
  writeFileSync(join(paths.etc, 'trust.json'), JSON.stringify({ keys: [{ name: 'bob', key }] }));
  assert.equal(await open().boot(), { ok: true, generation: 1 }, 'what is pinned is not judged');
  restart();
  const booted = await open().boot();
  assert.ok(booted !== null && !booted.ok && booted.code === 'V104');
  assert.is(open().active(), null);
});

test.run();
