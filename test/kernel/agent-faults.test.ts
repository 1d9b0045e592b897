/** What becomes of a change where the machine fails it: each fault has one outcome, and what ran runs on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { decodeBundle } from '../../compiler/index.js';
import { readGood } from '../../runtime/agent/index.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent faults');
const node = new ShopNode('faults');
const { cwd, paths, run, load, status, connectFrom } = node;

function sh(command: string, ...words: readonly string[]): void {
  const { status: exit, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (exit !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
}

async function assertRuns(generation: number): Promise<void> {
  assert.is((await status())['active'], generation);
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'no workload: the default');
}

test.before(async () => {
  await node.make();
  const decoded = decodeBundle(readFileSync(join(cwd, 'shop.weft')));
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const { bundle } = decoded;
  const other = { ...bundle, manifest: { ...bundle.manifest, fuel: 4321 } };
  writeFileSync(join(cwd, 'other.weft'), encodeBundle(other));
});
test.after.each(() => node.unload());
test.after(() => node.remove());

/** Runs `body` with a disk of few pages at a path, and nothing left on it. */
async function withFullDisk(path: string, body: () => Promise<void>): Promise<void> {
  mkdirSync(path, { recursive: true });
  sh('mount', '-t', 'tmpfs', '-o', 'size=64k', 'weft-test', path);
  try {
    spawnSync('dd', ['if=/dev/zero', `of=${join(path, 'filler')}`, 'bs=4k', 'count=64']);
    await body();
  } finally {
    sh('umount', path);
  }
}

test('A031: a full disk refuses the bundle before it is activated, and leaves nothing half written', async () => {
  await load();
  await run('enrol', 'reviews.prod');
  await withFullDisk(paths.lib, async () => {
    const full = await load('other.weft');
    assert.is(full.exit, 1);
    assert.match(full.stderr, /error\[A031\]: `.*sigstore\.jsonl|error\[A031\]: `.*\.weft` cannot/);
    assert.match(full.stderr, 'ENOSPC');
    await assertRuns(1);
    const { lastError } = await status();
    assert.match((lastError as { message: string }).message, 'ENOSPC');
  });
  assert.is(readGood(paths)?.name, 'shop');
  assert.is((await load('other.weft')).exit, 0);
  await assertRuns(2);
});

test('a full disk does not keep a node from going back', async () => {
  await load();
  await load('other.weft');
  await run('enrol', 'reviews.prod');
  await withFullDisk(paths.lib, async () => {
    assert.is((await run('rollback')).exit, 0);
    await assertRuns(1);
  });
});

test.run();
