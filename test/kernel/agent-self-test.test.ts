/** Cases that travel in a bundle: asked of this kernel behind the staging and before the activation. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { decodeBundle } from '../../compiler/index.js';
import { type Applied, openNodeBundles } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { ShopNode, shopWorld } from './fixtures/shop-node.js';

const test = suite('agent self-test');
const node = new ShopNode('selftest');
const { cwd, paths, run, load, status, connectFrom } = node;

const build = async (folder: string, out: string): Promise<string> => {
  const { exit, stderr } = await run('build', folder, '--out', out);
  assert.is(exit, 0, stderr);
  return stderr;
};
function decoded(file: string): Bundle {
  const found = decodeBundle(readFileSync(join(cwd, file)));
  if (!found.ok) throw new Error('the bundle does not decode');
  return found.bundle;
}
const steps: string[] = [];
function apply(bytes: Uint8Array): Promise<Applied> {
  const { world } = readWorld(shopWorld(node.name), 'world.yaml');
  if (world === null) throw new Error('the world is not read');
  steps.length = 0;
  return openNodeBundles({
    ...{ kernel: openKernel(), paths, world: () => world, trust: () => null },
    ...{ now: () => new Date(), clockOffset: () => 0n, onStep: (step) => steps.push(step) },
  }).apply(bytes, null, 'enforce');
}

/** The project with other expectations. */
async function expecting(change: (text: string) => string): Promise<void> {
  const file = join(cwd, 'shop/scenario.yaml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, change(before));
  assert.not.equal(readFileSync(file, 'utf8'), before);
  await build('shop', 'changed.weft');
  writeFileSync(file, before);
}

test.before(() => node.make());
test.after.each(() => node.unload());
test.after(() => node.remove());

test('a bundle whose cases are answered as they expect is activated; inspect shows them', async () => {
  assert.is((await load()).exit, 0);
  const { stdout } = await run('inspect', 'shop.weft');
  assert.match(stdout, 'self-test, scenario.yaml (2 of 2 cases)');
  assert.match(stdout, /ratings-from-a-stranger +scenario\.yaml:\d+ +verdict deny/);
  const { selfTest } = JSON.parse((await run('inspect', 'shop.weft', '-o', 'json')).stdout);
  assert.is(selfTest[0].cases[0].case.id, 'ratings-from-reviews');
});

test('A030: a case that is answered otherwise refuses the bundle, with its name, line and code', async () => {
  await load();
  await run('enrol', 'reviews.prod');
  await expecting((text) => text.replace('isolation.ts:10', 'isolation.ts:9'));
  const refused = await load('changed.weft');
  assert.is(refused.exit, 3, refused.stderr);
  assert.match(refused.stderr, 'error[A030]: case `ratings-from-reviews` (scenario.yaml:2): rule:');
  assert.match(refused.stderr, /policies\/isolation\.ts:10:\d+/);
  assert.is((await status())['active'], 1);
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'the running bundle decides');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM');
  const { lastError } = await status();
  assert.match((lastError as { message: string }).message, 'ratings-from-reviews');
  await expecting((text) => text.replace('verdict: deny', 'verdict: allow'));
  const stranger = await load('changed.weft');
  assert.match(stranger.stderr, 'case `ratings-from-a-stranger` (scenario.yaml:5): verdict:');
});

test('it is the kernel that is asked: objects of another policy are found out', async () => {
  const policy = join(cwd, 'shop/policies/isolation.ts');
  const before = readFileSync(policy, 'utf8');
  writeFileSync(policy, before.replace('return Verdict.Allow', 'return Verdict.Deny'));
  await build('shop', 'denying.weft');
  writeFileSync(policy, before);
  const shop = decoded('shop.weft');
  assert.equal(await apply(encodeBundle(shop)), { ok: true, generation: 1 });
  const mixed = await apply(encodeBundle({ ...shop, objects: decoded('denying.weft').objects }));
  if (mixed.ok) throw new Error('it was applied');
  assert.is(mixed.code, 'A030');
  assert.match(mixed.place ?? '', /^policies\/isolation\.ts:\d+$/);
  assert.equal(steps, ['admitted', 'staged'], 'nothing was pinned');
  const untold = await apply(
    encodeBundle({ ...shop, cases: null, objects: decoded('denying.weft').objects }),
  );
  assert.equal(untold, { ok: true, generation: 2 }, 'without cases nobody notices');
});

test('a scenario that is at fault sends nothing along and is told', async () => {
  const file = join(cwd, 'shop/scenario.yaml');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, before.replace('from: reviews.prod', 'from: nobody.prod'));
  assert.match(await build('shop', 'changed.weft'), 'warning[W301]');
  assert.is(decoded('changed.weft').cases, null);
  const config = join(cwd, 'shop/weft.json');
  const project = readFileSync(config, 'utf8');
  writeFileSync(config, JSON.stringify({ ...JSON.parse(project), selfTest: [{ file: 'x.yaml' }] }));
  const { exit, stderr } = await run('build', 'shop', '--out', 'changed.weft');
  assert.is(exit, 3);
  assert.match(stderr, 'error[B212]: the scenario `x.yaml` cannot be read');
  writeFileSync(config, project);
  writeFileSync(file, before);
});

for (const example of ['bookinfo', 'ports', 'shop-api']) {
  test(`the cases of the example ${example}, requests among them, pass in this kernel`, async () => {
    const folder = fileURLToPath(new URL(`../../../policies/examples/${example}`, import.meta.url));
    await build(folder, 'example.weft');
    assert.ok((decoded('example.weft').cases?.files[0]?.cases.length ?? 0) > 2);
    const world = join(folder, 'world.yaml');
    const { exit, stderr } = await run('load', 'example.weft', '--world', world);
    assert.is(exit, 0, stderr);
  });
}

test.run();
