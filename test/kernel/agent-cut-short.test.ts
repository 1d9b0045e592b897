/** A change of the node that was cut short: what the next one finds, and makes of it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unenrol } from '../../runtime/agent/index.js';
import { type Kernel, openKernel, pinDirectory } from '../../runtime/kernel/index.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent cut short');
const node = new ShopNode('cut');
const { name, cwd, paths, run, status, load, connectFrom } = node;
const generations = (): string[] => readdirSync(join(paths.pins, 'generations')).sort();

/** Judged, by the example's policy. */
function assertEnforced(): void {
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'no workload: the default');
}

test.before(() => node.make());
test.after.each(() => node.unload());
test.after(() => node.remove());

for (const left of [['3', '4'], ['3', '4', '5'], ['3_new']]) {
  test(`loads that died with generations ${left} pinned are forgotten`, async () => {
    for (let i = 0; i < 2; i += 1) assert.is((await load()).exit, 0);
    await run('enrol', 'reviews.prod');
    for (const number of left) pinDirectory(join(paths.pins, 'generations', number, 'maps'));
    assert.is((await status())['active'], 2);
    assertEnforced();
    assert.is((await load()).exit, 0);
    assertEnforced();
    assert.is((await status())['active'], 3);
    assert.equal(generations(), ['2', '3']);
  });
}

test('a first load that died before it activated is forgotten', async () => {
  await run('enrol', '--cgroup', `/${name}`);
  pinDirectory(join(paths.pins, 'generations', '1', 'maps'));
  assert.is((await status())['active'], null);
  assert.is(connectFrom('127.0.0.2', 9), 'EPERM');
  assert.is((await load()).exit, 0);
  assertEnforced();
  assert.equal(generations(), ['1']);
});

/** A kernel that fails at one link, as a process that dies there stops. */
function failingAt(hook: string): Kernel {
  const kernel = openKernel();
  return {
    ...kernel,
    openLink: (path) => {
      if (path.endsWith(`/${hook}`)) throw new Error('cut short');
      return kernel.openLink(path);
    },
  };
}

for (const hook of ['connect4', 'ingress', 'sock_create']) {
  test(`an unenrol cut short at ${hook} is no enrolment, and enrol makes it whole`, async () => {
    await load();
    await run('enrol', 'reviews.prod');
    assert.throws(() => unenrol(failingAt(hook), paths, `/${name}`), 'cut short');
    assert.equal((await status())['enrolled'], []);
    assert.is((await run('enrol', 'reviews.prod')).exit, 0);
    assertEnforced();
    assert.is((await run('unenrol', 'reviews.prod')).exit, 0);
    assert.equal(readdirSync(join(paths.pins, 'links')), []);
    assert.is(connectFrom('127.0.0.9', 9), 'ECONNREFUSED', 'judged by nobody');
  });
}

/** Loads in a process of its own, which the kernel kills at the first write to a map. */
function loadKilledAt(map: string): void {
  const room = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const script = `
    import { readFileSync } from 'node:fs';
    import { loadOrNote, withLock } from ${room('runtime/agent/index.js')};
    import { decodeBundle } from ${room('compiler/index.js')};
    import { readWorld } from ${room('runtime/discovery/index.js')};
    import { openKernel } from ${room('runtime/kernel/index.js')};
    const { bundle, digest } = decodeBundle(readFileSync('shop.weft'));
    const { world } = readWorld(readFileSync('shop/world.yaml', 'utf8'), 'shop/world.yaml');
    const real = openKernel();
    const openMap = (path) => {
      const map = real.openMap(path);
      if (!path.endsWith('/${map}')) return map;
      return { ...map, update: () => process.kill(process.pid, 'SIGKILL') };
    };
    const kernel = { ...real, openMap };
    const options = { bundle, digest, world, now: new Date(), clockOffset: 0n };
    await withLock(${JSON.stringify(paths)}, () => loadOrNote(kernel, ${JSON.stringify(paths)}, options));`;
  const { signal, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { cwd, encoding: 'utf8' },
  );
  assert.is(signal, 'SIGKILL', stderr);
}

// Three of them bring an uncleaned number round to the slot of the generation that runs.
for (const [map, times] of [
  ['weft_slots_connect4', 1],
  ['weft_active', 3],
] as const) {
  test(`a load that is killed at ${map} leaves the running generation, and the next load works`, async () => {
    await load();
    await run('enrol', 'reviews.prod');
    for (let i = 0; i < times; i += 1) {
      loadKilledAt(map);
      assert.is((await status())['active'], 1);
      assertEnforced();
    }
    assert.is((await load()).exit, 0);
    assert.is((await status())['active'], 2);
    assertEnforced();
    assert.equal(generations(), ['1', '2']);
    const left = readdirSync(paths.run).filter((name) => name.startsWith('lock'));
    assert.equal(left, [], 'no lock of the dead');
  });
}

test('an enrol cut short is undone by unenrol, and by unload', async () => {
  const half = async (): Promise<void> => {
    await load();
    assert.is((await run('enrol', 'reviews.prod')).exit, 0);
    const links = join(paths.pins, 'links');
    const [id = ''] = readdirSync(links);
    renameSync(join(links, id), join(links, `${id}_new`)); // pinned, but not yet all of them
    assert.is(connectFrom('127.0.0.9', 9), 'EPERM');
    assert.equal((await status())['enrolled'], []);
  };
  await half();
  assert.match((await run('unenrol', 'reviews.prod')).stderr, 'error[A012]');
  assert.equal(readdirSync(join(paths.pins, 'links')), []);
  await half();
  assert.is((await run('unload')).exit, 0);
  assert.not.ok(existsSync(paths.pins));
});

test.run();
