/** The kernel has no memory for a bundle's maps: the agent's memory cgroup refuses it in the middle of a load. What ran runs on. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import { decodeBundle } from '../../compiler/index.js';
import { type NodeBundles, openNodeBundles } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { type Kernel, listPins, openKernel } from '../../runtime/kernel/index.js';
import { ShopNode, shopWorld } from './fixtures/shop-node.js';

const test = suite('map memory refused');
const node = new ShopNode('memory');
const { cwd, paths, connectFrom } = node;
/** What the cgroup may have; and a map that is larger (2^22 entries are some 300 MB). */
const LIMIT = 96 << 20;
const ENTRIES = 1 << 22;

/** The folder and the file of the limit: of the memory controller of either hierarchy. */
const V1 = '/sys/fs/cgroup/memory';
const isV1 = existsSync(join(V1, 'memory.limit_in_bytes'));
const GROUP = join(isV1 ? V1 : paths.cgroups, `weft-memory-${process.pid}`);
const LIMIT_FILE = isV1 ? 'memory.limit_in_bytes' : 'memory.max';

function ownGroup(): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const line = lines.find((one) => (isV1 ? one.includes(':memory:') : one.startsWith('0::')));
  return join(isV1 ? V1 : paths.cgroups, (line ?? '').split(':').slice(2).join(':'));
}

/** What is allocated meanwhile counts against the limit. */
function within<T>(work: () => T): T {
  const before = join(ownGroup(), 'cgroup.procs');
  writeFileSync(join(GROUP, 'cgroup.procs'), String(process.pid));
  try {
    return work();
  } finally {
    writeFileSync(before, String(process.pid));
  }
}

/** A kernel that loads generations in that cgroup, with a map of so many entries. */
function poor(map: string, entries: number): Kernel {
  const real = openKernel();
  return {
    ...real,
    load: (spec) =>
      spec.name === 'stubs'
        ? real.load(spec)
        : within(() => real.load({ ...spec, resize: { ...spec.resize, [map]: entries } })),
  };
}

function open(kernel: Kernel): NodeBundles {
  const { world } = readWorld(shopWorld(node.name), 'world.yaml');
  if (world === null) throw new Error('the world is not read');
  return openNodeBundles({
    ...{ kernel, paths, world: () => world, trust: () => null },
    ...{ now: () => new Date(), clockOffset: () => 0n },
  });
}

let shop: Uint8Array;
let other: Uint8Array;
test.before(async () => {
  await node.make();
  shop = readFileSync(join(cwd, 'shop.weft'));
  const decoded = decodeBundle(shop);
  if (!decoded.ok) throw new Error('the bundle does not decode');
  const { bundle } = decoded;
  other = encodeBundle({ ...bundle, manifest: { ...bundle.manifest, fuel: 4321 } });
  mkdirSync(GROUP);
  writeFileSync(join(GROUP, LIMIT_FILE), String(LIMIT));
});
test.after(() => {
  node.unload();
  rmdirSync(GROUP);
  node.remove();
});

function assertEnforces(what: string): void {
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', `allowed, and nobody listens: ${what}`);
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', what);
}

test('the first bundle of a node is refused, and nothing is left', async () => {
  const applied = await open(poor('weft_cgroups', ENTRIES)).apply(shop, null, 'enforce');
  assert.is(applied.ok, false);
  assert.is(applied.ok ? '' : applied.code, 'KERNEL_ENOMEM', JSON.stringify(applied));
  assert.equal(listPins(paths.pins), []);
});

test('a later one is refused by its code, in either mode, and what ran runs on', async () => {
  assert.equal(await open(openKernel()).apply(shop, null, 'enforce'), { ok: true, generation: 1 });
  await node.run('enrol', 'reviews.prod');
  assertEnforces('before');
  for (const mode of ['enforce', 'shadow'] as const) {
    const applied = await open(poor('weft_cgroups', ENTRIES)).apply(other, null, mode);
    assert.is(applied.ok ? '' : applied.code, 'KERNEL_ENOMEM', JSON.stringify(applied));
    assertEnforces(mode);
  }
  const { active, lastError } = await node.status();
  assert.is(active, 1);
  assert.match((lastError as { message: string }).message, /memory|ENOMEM/);
  assert.equal(listPins(join(paths.pins, 'generations')), ['1']);
  // With room enough the same is taken, in the same cgroup.
  assert.equal(await open(poor('weft_cgroups', 64)).apply(other, null, 'enforce'), {
    ok: true,
    generation: 2,
  });
  assertEnforces('after');
});

test.run();
