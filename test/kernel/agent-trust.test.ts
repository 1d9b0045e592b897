/** A node with a trust policy: what it accepts runs, what it refuses leaves alone what runs. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import type { Transcript } from '../cli/harness.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent trust');
const node = new ShopNode('trust');
const { cwd, paths, run, status } = node;
const load = (...more: string[]): Promise<Transcript> =>
  run('load', 'shop.weft', '--world', 'shop/world.yaml', ...more);
const trusted = (): Promise<Transcript> => load('--trust', 'trust.json');

async function sign(key: string, version: number): Promise<void> {
  const { exit, stderr } = await run(
    'sign',
    'shop.weft',
    '--key',
    `${key}.key`,
    '--as-version',
    String(version),
  );
  assert.is(exit, 0, stderr);
}
const forget = (): void => rmSync(join(cwd, 'shop.weft.sigstore.jsonl'), { force: true });

/** Refused with a code and exit 6, and what ran runs on. */
async function assertRefused(
  refused: Transcript,
  code: string,
  active: number | null,
): Promise<void> {
  assert.is(refused.exit, 6, refused.stderr);
  assert.match(refused.stderr, `error[${code}]`);
  const now = await status();
  assert.is(now['active'], active);
  assert.match((now['lastError'] as { message: string }).message, /./);
}

test.before(async () => {
  await node.make();
  for (const name of ['alice', 'mallory']) await run('keygen', '--out', name);
  const keys = [{ name: 'alice', file: 'alice.pub' }];
  writeFileSync(join(cwd, 'trust.json'), JSON.stringify({ keys, bundles: ['shop'] }));
});
test.after.each(() => {
  node.unload();
  forget();
  rmSync(paths.lib, { recursive: true, force: true });
  rmSync(paths.etc, { recursive: true, force: true });
});
test.after(() => node.remove());

test('a signed bundle is loaded, and status tells who vouched for it', async () => {
  await sign('alice', 7);
  const loaded = await trusted();
  assert.is(loaded.exit, 0, loaded.stderr);
  assert.match(
    loaded.stdout,
    /^generation 1 is active: shop sha256:[0-9a-f]+, version 7 signed by alice\n$/,
  );
  const { generations } = await status();
  const [generation] = generations as { trust: { version: number; signers: { name: string }[] } }[];
  assert.is(generation?.trust.version, 7);
  assert.is(generation?.trust.signers[0]?.name, 'alice');
});

test('status follows the chain down to the programs in the kernel, and tells where it breaks', async () => {
  await sign('alice', 7);
  assert.is((await trusted()).exit, 0);
  const told = await run('status');
  assert.is(told.exit, 0, told.stderr);
  assert.match(told.stdout, /chain of the active generation\n {2}bundle +sha256:/);
  assert.match(told.stdout, /signed +alice +version 7, key [0-9a-f]{64}/);
  assert.match(told.stdout, /program +weft_connect4 +tag [0-9a-f]{16}\n/);
  const pins = join(paths.pins, 'generations/1/programs');
  const slots = join(paths.pins, 'node/maps/weft_slots_connect4');
  const kernel = openKernel();
  {
    using other = kernel.openProgram(join(pins, 'weft_connect6'));
    using stub = kernel.openProgram(join(paths.pins, 'node/stubs/connect4'));
    using map = kernel.openMap(slots);
    assert.not.equal(other.info().tag, stub.info().tag);
    rmSync(join(pins, 'weft_connect4'));
    stub.pin(join(pins, 'weft_connect4'));
    map.update(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(stub.fd, 0, 0, 0));
  }
  const broken = await run('status');
  assert.is(broken.exit, 5);
  assert.match(
    broken.stderr,
    /error\[A028\]: generation 1: `weft_connect4` has tag [0-9a-f]+, loaded was [0-9a-f]+/,
  );
  assert.match(
    broken.stderr,
    /error\[A028\]: generation 1: hook connect4 runs program \d+, which is none/,
  );
});

test('unsigned, signed by others, altered, or older: refused, and what runs stays', async () => {
  await assertRefused(await trusted(), 'V101', null);
  await sign('alice', 7);
  assert.is((await trusted()).exit, 0);
  forget();
  await assertRefused(await trusted(), 'V101', 1);
  await sign('mallory', 8);
  await assertRefused(await trusted(), 'V104', 1);
  forget();
  await sign('alice', 6);
  await assertRefused(await trusted(), 'V108', 1);
  appendFileSync(join(cwd, 'shop.weft.sigstore.jsonl'), '{}\n');
  await sign('alice', 8);
  const last = await trusted();
  assert.is(last.exit, 0, last.stderr);
  assert.match(last.stderr, 'warning[V102]', 'what did not count is told');
  assert.is((await status())['active'], 2);
});

test('the version that ran is remembered after everything was unloaded', async () => {
  await sign('alice', 7);
  assert.is((await trusted()).exit, 0);
  node.unload();
  forget();
  await sign('alice', 6);
  await assertRefused(await trusted(), 'V108', null);
  writeFileSync(join(paths.lib, 'versions.json'), '{"shop":');
  const damaged = await trusted();
  assert.is(damaged.exit, 1);
  assert.match(damaged.stderr, 'error[A027]');
});

test("a node's own trust policy holds without being named", async () => {
  mkdirSync(paths.etc, { recursive: true });
  const key = readFileSync(join(cwd, 'alice.pub'), 'utf8');
  writeFileSync(join(paths.etc, 'trust.json'), JSON.stringify({ keys: [{ name: 'alice', key }] }));
  await assertRefused(await load(), 'V101', null);
  await sign('alice', 1);
  assert.is((await load()).exit, 0);
  writeFileSync(join(paths.etc, 'trust.json'), '{ "keys": [] }');
  const faulty = await load();
  assert.is(faulty.exit, 3, 'a faulty policy trusts nobody');
  assert.match(faulty.stderr, 'error[W013]');
  assert.is((await status())['active'], 1);
});

test.run();
