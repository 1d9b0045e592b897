/**
 * Loads and ways back that are killed (SIGKILL) behind each of their steps, by name: the node runs the old
 * bundle or the new one, whole, it stays enforced, and the next change works.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { decodeBundle } from '../../compiler/index.js';
import {
  LOAD_STEPS,
  type LoadStep,
  openNodeBundles,
  ROLLBACK_STEPS,
  readGood,
} from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { ShopNode, shopWorld } from './fixtures/shop-node.js';

const test = suite('agent steps');
const node = new ShopNode('steps');
const { cwd, paths, run, status, load, connectFrom } = node;

const { world } = readWorld(shopWorld(node.name), 'world.yaml');
if (world === null) throw new Error('the world is not read');
const bundles = openNodeBundles({
  ...{ kernel: openKernel(), paths, world: () => world, trust: () => null },
  ...{ now: () => new Date(), clockOffset: () => 0n },
});

interface Now {
  readonly active: number;
  readonly generations: readonly {
    readonly generation: number;
    readonly active: boolean;
    readonly bundle: string;
    readonly breaks: readonly string[];
  }[];
}
/** What the node runs: its number and its bundle; fails where that is not whole in the kernel. */
async function running(): Promise<{ readonly number: number; readonly bundle: string }> {
  const now = (await status()) as unknown as Now;
  const found = now.generations.find((g) => g.active);
  assert.is(found?.generation, now.active);
  assert.equal(found?.breaks, []);
  return { number: now.active, bundle: found?.bundle ?? '' };
}

function assertEnforced(): void {
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'no workload: the default');
}

const room = (path: string): string =>
  JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
/** Runs a change in a process of its own, which is killed behind a step. */
function killedBehind(step: string, change: string): void {
  const script = `
    import { readFileSync } from 'node:fs';
    import { load, rollback, withLock } from ${room('runtime/agent/index.js')};
    import { decodeBundle } from ${room('compiler/index.js')};
    import { readWorld } from ${room('runtime/discovery/index.js')};
    import { openKernel } from ${room('runtime/kernel/index.js')};
    import { readTrustFile, signaturesBeside } from ${room('runtime/trust/index.js')};
    const paths = ${JSON.stringify(paths)};
    const onStep = (step) => {
      if (step === ${JSON.stringify(step)}) process.kill(process.pid, 'SIGKILL');
    };
    const { bundle, digest } = decodeBundle(readFileSync('other.weft'));
    const { world } = readWorld(readFileSync('shop/world.yaml', 'utf8'), 'shop/world.yaml');
    const trust = { policy: readTrustFile('trust.json', ''), signatures: signaturesBeside('other.weft') };
    const options = { bundle, digest, world, trust, now: new Date(), clockOffset: 0n, onStep };
    const kernel = openKernel();
    await withLock(paths, () => ${change});`;
  const words = ['--input-type=module', '--eval', script];
  const { signal, stderr } = spawnSync(process.execPath, words, { cwd, encoding: 'utf8' });
  assert.is(signal, 'SIGKILL', stderr);
}

let digests: { readonly old: string; readonly other: string };
test.before(async () => {
  await node.make();
  const decoded = decodeBundle(readFileSync(join(cwd, 'shop.weft')));
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const { bundle, digest } = decoded;
  const other = { ...bundle, manifest: { ...bundle.manifest, fuel: 4321 } };
  writeFileSync(join(cwd, 'other.weft'), encodeBundle(other));
  await run('keygen', '--out', 'alice');
  writeFileSync(join(cwd, 'trust.json'), '{ "keys": [{ "name": "alice", "file": "alice.pub" }] }');
  const signed = await run(
    'sign',
    'other.weft',
    '--key',
    'alice.key',
    '--as-version',
    '7',
    '-o',
    'json',
  );
  digests = { old: digest, other: JSON.parse(signed.stdout).bundle };
});
test.before.each(async () => {
  assert.is((await load()).exit, 0);
  assert.is((await run('enrol', 'reviews.prod')).exit, 0);
});
test.after.each(() => {
  node.unload();
  rmSync(paths.lib, { recursive: true, force: true });
});
test.after(() => node.remove());

const isNew = (step: LoadStep): boolean =>
  LOAD_STEPS.indexOf(step) >= LOAD_STEPS.indexOf('activated');

for (const step of LOAD_STEPS) {
  test(`a load killed when it is ${step} leaves the ${isNew(step) ? 'new' : 'old'} bundle`, async () => {
    killedBehind(step, 'load(kernel, paths, options)');
    const { number, bundle } = await running();
    assert.is(bundle, isNew(step) ? digests.other : digests.old);
    assert.is(number, isNew(step) ? 2 : 1);
    assertEnforced();
    // Whoever starts then finds it running, and the next start of the machine finds it on disk.
    assert.equal(await bundles.boot(), { ok: true, generation: number });
    assert.is(readGood(paths)?.digest, bundle);
    const again = await run(
      'load',
      'other.weft',
      '--world',
      'shop/world.yaml',
      '--trust',
      'trust.json',
    );
    assert.is(again.exit, 0, again.stderr);
    const after = await running();
    assert.is(after.bundle, digests.other);
    assert.ok(after.number > number);
    const pinned = readdirSync(join(paths.pins, 'generations'));
    assert.is(pinned.length, 2, pinned.join(' '));
    const left = readdirSync(paths.run).filter((name) => name.startsWith('lock'));
    assert.equal(left, [], 'no lock of the dead');
  });
}

test('a version that was activated is remembered, though the load died before it was noted', async () => {
  killedBehind('activated', 'load(kernel, paths, options)');
  rmSync(join(cwd, 'other.weft.sigstore.jsonl'));
  await run('sign', 'other.weft', '--key', 'alice.key', '--as-version', '6');
  const old = await run(
    'load',
    'other.weft',
    '--world',
    'shop/world.yaml',
    '--trust',
    'trust.json',
  );
  assert.is(old.exit, 6);
  assert.match(old.stderr, 'error[V108]');
  rmSync(join(cwd, 'other.weft.sigstore.jsonl'));
  await run('sign', 'other.weft', '--key', 'alice.key', '--as-version', '7');
});

for (const step of ROLLBACK_STEPS) {
  test(`a rollback killed when it is ${step} leaves one of the two`, async () => {
    assert.is((await load('other.weft')).exit, 0);
    killedBehind(step, 'rollback(kernel, paths, { to: null, onStep })');
    const { bundle } = await running();
    const isBack = ROLLBACK_STEPS.indexOf(step) >= ROLLBACK_STEPS.indexOf('activated');
    assert.is(bundle, isBack ? digests.old : digests.other);
    assertEnforced();
    assert.is((await load('other.weft')).exit, 0);
    const after = await running();
    assert.equal(
      after,
      { number: 3, bundle: digests.other },
      'a number that ran is not given again',
    );
  });
}

test('rollback goes back and forward, and to nothing that is not there', async () => {
  const none = await run('rollback');
  assert.is(none.exit, 1);
  assert.match(none.stderr, 'error[A029]: there is no generation before; no other is kept');
  assert.is((await load('other.weft')).exit, 0);
  const back = await run('rollback');
  assert.is(back.stdout, `generation 1 is active again: shop ${digests.old} (it was 2)\n`);
  assert.equal(await running(), { number: 1, bundle: digests.old });
  assertEnforced();
  assert.is((await run('rollback', '--to', '2')).exit, 0);
  assert.equal(await running(), { number: 2, bundle: digests.other });
  assert.match(
    (await run('rollback', '--to', '9')).stderr,
    'error[A029]: generation 9 is not there',
  );
  assert.is((await run('rollback', '--to', 'x')).exit, 64);
  await run('rollback');
  for (let number = 3; number < 7; number += 1) {
    assert.is((await load(number % 2 === 0 ? 'shop.weft' : 'other.weft')).exit, 0);
    await running();
    if (number % 3 === 0) assert.is((await run('rollback')).exit, 0);
    await running();
  }
  node.unload();
  assert.match((await run('rollback')).stderr, 'error[A013]');
});

test.run();
