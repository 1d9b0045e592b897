/** `weft diff`: two versions compared over recorded traffic, and over all that there can be. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Transcript, weft } from './harness.js';

const test = suite('cli diff');
let cwd = '';
const run = (...args: string[]): Promise<Transcript> => weft(args, { cwd });
const POLICY = join('policies', 'isolation.ts');

test.before(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'weft-diff-'));
  await run('init', 'shop');
  cpSync(join(cwd, 'shop'), join(cwd, 'next'), { recursive: true });
  const text = readFileSync(join(cwd, 'next', POLICY), 'utf8');
  writeFileSync(join(cwd, 'next', POLICY), text.replace('.is("prod")', '.startsWith("prod")'));
  const built = await Promise.all([
    run('build', 'shop', '--out', 'old.weft'),
    run('build', 'next', '--out', 'new.weft'),
  ]);
  for (const { exit, stderr } of built) assert.is(exit, 0, stderr);
});
test.after(() => rmSync(cwd, { recursive: true, force: true }));

test('what is newly allowed, with an example that both decided: exit 5', async () => {
  const { exit, stdout, stderr } = await run('diff', 'old.weft', 'new.weft');
  assert.is(exit, 5, stderr);
  assert.match(
    stdout,
    /^connections newly allowed, in 1 set:\n {2}1\. source\.namespace begins with "prod"/,
  );
  assert.match(stdout, /source\.address not 203\.0\.113\.0\/24/);
  assert.match(stdout, /deny \(default\) before, now allow \(policies\/isolation\.ts:10\)\n$/);
  assert.not.match(stdout, /newly denied/);
});

test('as a document, whose example runs as a scenario', async () => {
  const { stdout } = await run('diff', 'old.weft', 'new.weft', '-o', 'json');
  const { changed, summary, undecided } = JSON.parse(stdout);
  assert.equal(summary, { changed: 1, undecided: 0 });
  assert.equal(undecided, []);
  const [{ example, old, new: now }] = changed;
  assert.equal([old.verdict, now.verdict], ['deny', 'allow']);
  writeFileSync(join(cwd, 'w.yaml'), JSON.stringify(example.world));
  writeFileSync(join(cwd, 's.yaml'), JSON.stringify({ world: 'w.yaml', cases: [example.case] }));
  for (const [bundle, verdict] of [
    ['old.weft', 'deny'],
    ['new.weft', 'allow'],
  ] as const) {
    const run1 = await run('simulate', bundle, 's.yaml', '-o', 'json');
    assert.is(JSON.parse(run1.stdout).results[0].verdict, verdict, run1.stderr);
  }
});

test('no difference is exit 0, also where the text differs', async () => {
  const same = await run('diff', 'old.weft', 'old.weft');
  assert.is(same.exit, 0);
  assert.is(same.stdout, 'no difference: both decide alike, whatever comes\n');
});

test('traffic: changes counted by the rules that decided', async () => {
  const line = (from: string): string => `{"from":"${from}","to":"ratings.prod:80"}\n`;
  writeFileSync(join(cwd, 'same.ndjson'), line('reviews.prod') + line('batch.dev'));
  const same = await run(
    'diff',
    'old.weft',
    'new.weft',
    '--traffic',
    'same.ndjson',
    '--world',
    'shop/world.yaml',
  );
  assert.is(same.exit, 0, same.stderr);
  assert.match(same.stdout, /^2 records: 2 compared, 0 verdicts and 0 routes change/);
  const text = readFileSync(join(cwd, 'shop', 'world.yaml'), 'utf8');
  writeFileSync(join(cwd, 'eu.yaml'), text.replaceAll('batch.dev', 'batch.prod-eu'));
  writeFileSync(
    join(cwd, 'seen.ndjson'),
    line('batch.prod-eu') + line('reviews.prod') + line('batch.prod-eu'),
  );
  const args = ['diff', 'old.weft', 'new.weft', '--traffic', 'seen.ndjson', '--world', 'eu.yaml'];
  const other = await run(...args);
  assert.is(other.exit, 5, other.stderr);
  assert.match(
    other.stdout,
    /^2 +deny default +-> +allow policies\/isolation\.ts:10 +as seen\.ndjson:1 batch\.prod-eu -> ratings\.prod:80\n/,
  );
  const { summary, groups } = JSON.parse((await run(...args, '-o', 'json')).stdout);
  assert.is(summary.changedVerdicts, 2);
  assert.is(groups[0].count, 2);
});

test('what cannot be compared is refused', async () => {
  assert.is((await run('diff', 'old.weft')).exit, 64);
  assert.is((await run('diff', 'old.weft', 'gone.weft')).exit, 1);
  assert.is((await run('diff', 'old.weft', 'new.weft', '--limit', '0')).exit, 64);
  const scenario = await run('diff', 'old.weft', 'shop', '--traffic', 'shop/scenario.yaml');
  assert.is(scenario.exit, 64);
  assert.match(scenario.stderr, /U003/);
});

test.run();
