/** Loading, enrolling, reporting and removing on a real kernel, by the verbs of the command line. */
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { decodeBundle } from '../../compiler/index.js';
import { breakObject } from '../support/break-object.js';
import { ShopNode } from './fixtures/shop-node.js';

const test = suite('agent load');
const node = new ShopNode('agent');
const { name, cwd, paths, cgroup, run, load, status, connectFrom } = node;

/** What a failed change must leave alone. */
const enforced = async (): Promise<unknown> => {
  const { active, generations, enrolled } = await status();
  return { active, generations, enrolled, pins: readdirSync(join(paths.pins, 'generations')) };
};

function writeBundle(file: string, change: (bundle: Bundle) => Bundle): void {
  const decoded = decodeBundle(readFileSync(join(cwd, 'shop.weft')));
  if (!decoded.ok) throw new Error('the bundle does not decode');
  writeFileSync(join(cwd, file), encodeBundle(change(decoded.bundle)));
}

test.before(() => node.make());
test.after.each(() => node.unload());
test.after(() => node.remove());

test('load, enrol, decide, report, unload: nothing is left', async () => {
  const loaded = await load();
  assert.is(loaded.exit, 0, loaded.stderr);
  assert.match(loaded.stdout, /^generation 1 is active: shop sha256:/);
  const enrolled = await run('enrol', 'reviews.prod');
  assert.is(enrolled.exit, 0, enrolled.stderr);
  assert.match(enrolled.stdout, `enrolled ${cgroup} as reviews.prod`);

  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'allowed, and nobody listens');
  assert.is(connectFrom('10.96.0.20', 80), 'ECONNREFUSED', 'translated to 127.0.0.2:9');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM', 'no workload: the default');

  const { exit, stdout } = await run('events', '-o', 'ndjson', '--count', '3');
  assert.is(exit, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    events.map((e) => [e.hook, e.verdict, e.rule, e.source.workload, e.endpoint, e.service]),
    [
      ['connect4', 'allow', 'isolation.ts:10', 'reviews.prod', '127.0.0.2:9', null],
      ['connect4', 'allow', 'isolation.ts:10', 'reviews.prod', '127.0.0.2:9', 'ratings.prod'],
      ['connect4', 'deny', 'default', 'reviews.prod', '127.0.0.9:9', null],
    ],
  );
  assert.is(events[1].cluster, 'ratings/v1');
  assert.is(events[0].source.principal, 'cluster.local/ns/prod/sa/reviews');
  assert.is(events[0].lost, 0);
  assert.match(events[0].bundle, /^sha256:/);
  assert.is((await run('events')).stdout, '', 'nothing waits any more');

  const now = await status();
  assert.is(now['active'], 1);
  const policies = now['policies'] as { sites: { rule: string; count: number }[] }[];
  const counts = policies[0]?.sites.map((s) => [s.rule, s.count]);
  assert.equal(counts?.[1], ['policies/isolation.ts:10', 2]);
  const counted = now['reasons'] as Record<string, unknown>;
  assert.equal(counted, { policy: { allow: 2, deny: 0 }, default: { allow: 0, deny: 1 } });
  const text = (await run('status')).stdout;
  assert.match(text, /reviews\.prod +\S+/);

  assert.match((await run('unload')).stdout, 'removed 1 generation, 1 enrolled cgroup');
  assert.not.ok(existsSync(paths.pins));
  assert.is(connectFrom('127.0.0.9', 9), 'ECONNREFUSED', 'judged by nobody');
  assert.is((await status())['active'], null);
});

test('enrolled before anything is loaded: nothing new starts; a load opens it', async () => {
  assert.is((await run('enrol', '--cgroup', `/${name}`)).exit, 0);
  assert.is(connectFrom('127.0.0.2', 9), 'EPERM');
  assert.is((await load()).exit, 0);
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED');
  assert.is((await run('unenrol', '--cgroup', `/${name}`)).exit, 0);
  assert.is(connectFrom('127.0.0.9', 9), 'ECONNREFUSED');
});

test('the last two generations stay, the older go', async () => {
  for (let i = 0; i < 5; i += 1) assert.is((await load()).exit, 0);
  const { active, generations } = await status();
  assert.is(active, 5);
  assert.equal(
    (generations as { generation: number }[]).map((g) => g.generation),
    [4, 5],
  );
  assert.equal(readdirSync(join(paths.pins, 'generations')).sort(), ['4', '5']);
});

test('as many generations stay as are asked for, and a way back leads to each', async () => {
  const keep = (n: string): ReturnType<typeof run> =>
    run('load', 'shop.weft', '--world', 'shop/world.yaml', '--keep', n);
  const kept = (): number[] =>
    readdirSync(join(paths.pins, 'generations'))
      .map(Number)
      .sort((a, b) => a - b);
  assert.is((await keep('8')).exit, 64);
  assert.is((await keep('0')).exit, 64);
  for (let i = 0; i < 9; i += 1) assert.is((await keep('7')).exit, 0);
  assert.equal(kept(), [3, 4, 5, 6, 7, 8, 9]);
  await run('enrol', 'reviews.prod');
  for (const to of ['3', '8', '5']) {
    assert.is((await run('rollback', '--to', to)).exit, 0);
    assert.is((await status())['active'], Number(to));
    assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED');
    assert.is(connectFrom('127.0.0.9', 9), 'EPERM');
  }
  assert.is((await run('rollback', '--to', '2')).exit, 1, 'pruned');
  assert.is((await keep('2')).exit, 0);
  assert.equal(kept(), [5, 10], 'what was left by the way back goes');
});

test('a load that the verifier refuses changes nothing and names the program', async () => {
  await load();
  await run('enrol', 'reviews.prod');
  const before = await enforced();
  writeBundle('bad.weft', (bundle) => {
    const broken = breakObject(bundle.objects.base);
    return { ...bundle, objects: { base: broken, mayGoto: broken } };
  });
  const { exit, stderr } = await run(
    ...['load', 'bad.weft', '--world', 'shop/world.yaml', '--log', 'refusal.log'],
  );
  assert.is(exit, 1, stderr);
  assert.match(readFileSync(join(cwd, 'refusal.log'), 'utf8'), 'opcode ff');
  assert.match(stderr, 'error[KERNEL_VERIFIER]: the verifier refused');
  assert.equal(await enforced(), before);
  assert.is(connectFrom('127.0.0.2', 9), 'ECONNREFUSED', 'the running generation decides');
  assert.is(connectFrom('127.0.0.9', 9), 'EPERM');
  const { lastError } = await status();
  assert.match((lastError as { message: string }).message, 'the verifier refused');
  await load();
  assert.is((await status())['lastError'], null);
});

test('a first load that fails leaves no generation', async () => {
  writeBundle('junk.weft', (bundle) => {
    const junk = Uint8Array.of(1, 2, 3);
    return { ...bundle, objects: { base: junk, mayGoto: junk } };
  });
  const { exit, stdout } = await run(
    'load',
    'junk.weft',
    '--world',
    'shop/world.yaml',
    '-o',
    'json',
  );
  assert.is(exit, 1);
  assert.match(JSON.parse(stdout).diagnostics[0].code, /^KERNEL_/);
  const { active, generations } = await status();
  assert.is(active, null);
  assert.equal(generations, []);
});

test('A024: what another version set up is not used', async () => {
  await load();
  unlinkSync(join(paths.pins, 'node/maps/weft_http'));
  const { exit, stderr } = await load();
  assert.is(exit, 1);
  assert.match(stderr, 'error[A024]: this node was set up by another version');
  assert.is((await run('unload')).exit, 0);
  assert.is((await load()).exit, 0);
});

test('enrolment refuses what is not there, and twice', async () => {
  const early = await run('enrol', 'reviews.prod');
  assert.match(early.stderr, 'error[A013]');
  await load();
  assert.match((await run('enrol', 'nobody.prod')).stderr, 'error[A011]');
  assert.match((await run('enrol', 'ratings-v1.prod')).stderr, 'has no cgroup');
  assert.match((await run('enrol', '--cgroup', '/no/such')).stderr, 'error[A010]');
  assert.match((await run('unenrol', 'reviews.prod')).stderr, 'error[A012]');
  assert.is((await run('enrol')).exit, 64);
  assert.is((await run('enrol', 'a.b', '--cgroup', '/c')).exit, 64);
  assert.is((await run('enrol', 'reviews.prod')).exit, 0);
  assert.match((await run('enrol', 'reviews.prod')).stderr, 'error[A014]');
});

test('doctor finds this machine able, whatever is loaded', async () => {
  const { exit, stdout } = await run('doctor', '-o', 'json');
  assert.is(exit, 0, stdout);
  const { ok, features } = JSON.parse(stdout);
  assert.is(ok, true);
  assert.ok(features.some((f: { name: string }) => f.name === 'program cgroup/connect4'));
});

test('events before anything is loaded', async () => {
  const { exit, stderr } = await run('events');
  assert.is(exit, 1);
  assert.match(stderr, 'error[A013]: nothing is loaded');
  assert.is((await run('events', '--count', 'many')).exit, 64);
});

test('the kernel and the simulator agree on the scenario', async () => {
  await run('init', 'fresh');
  const both = await run(
    'simulate',
    'fresh',
    'fresh/scenario.yaml',
    '--engine',
    'both',
    '-o',
    'json',
  );
  assert.is(both.exit, 0, both.stdout);
  const document = JSON.parse(both.stdout);
  assert.equal(document.differences, []);
  assert.equal(document.summary, { passed: 3, failed: 0 });
  const kernel = await run('simulate', 'fresh', 'fresh/scenario.yaml', '--engine', 'kernel');
  assert.match(kernel.stdout, '3 passed, 0 failed');
});

test('engines that differ are exit 2 with a scenario that runs again', async () => {
  // The kernel's half of this bundle denies where the module allows.
  await run('init', 'other');
  const policy = join(cwd, 'other/policies/isolation.ts');
  const text = readFileSync(policy, 'utf8').replace(
    'return Verdict.Allow;',
    'return Verdict.Deny;',
  );
  writeFileSync(policy, text);
  await run('build', 'other', '--out', 'other.weft');
  const other = decodeBundle(readFileSync(join(cwd, 'other.weft')));
  if (!other.ok) throw new Error('the bundle does not decode');
  writeBundle('mixed.weft', (bundle) => ({ ...bundle, objects: other.bundle.objects }));
  const differ = await run(
    ...['simulate', 'mixed.weft', 'other/scenario.yaml', '--engine', 'both', '-o', 'json'],
  );
  assert.is(differ.exit, 2);
  const { differences, scenario } = JSON.parse(differ.stdout);
  assert.ok(differences.some((d: { id: string }) => d.id === 'ratings-from-reviews'));
  writeFileSync(join(cwd, 'again.yaml'), scenario);
  const again = await run('simulate', 'mixed.weft', 'again.yaml', '--engine', 'both');
  assert.is(again.exit, 2);
  assert.match(again.stdout, 'the engines differ:');
});

test.run();
