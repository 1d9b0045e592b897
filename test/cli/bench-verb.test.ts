/** `weft bench` as a user meets it: figures of cases, baselines, what is worse, and what cannot be compared. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BenchDocument } from '../../runtime/cli/bench-baseline.js';
import { compareBench, readBaseline } from '../../runtime/cli/bench-baseline.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { weft, withFolder } from './harness.js';

const test = suite('weft bench');
const QUICK = ['--time', '5'];

const read = (path: string): BenchDocument => JSON.parse(readFileSync(path, 'utf8'));

test('figures, a baseline, what has become worse, and another machine', () =>
  withFolder(async (cwd) => {
    await weft(['init', 'shop'], { cwd });
    const first = await weft(['bench', 'shop', ...QUICK, '--save', 'base.json'], { cwd });
    assert.is(first.exit, 0, first.stderr);
    assert.match(first.stdout, /^case +p50 ns +p99 ns +steps +look-ups +fuel +verdict$/m);
    const saved = read(join(cwd, 'base.json'));
    assert.ok(saved.cases.length >= 3);
    for (const { p50, p99, steps } of saved.cases) assert.ok(p50 > 0 && p99 >= p50 && steps > 0);

    // Counts do not depend on the moment: fewer of them before is a regression now.
    const less = {
      ...saved,
      policies: saved.policies.map((p) => ({ ...p, instructions: p.instructions / 2 })),
    };
    writeFileSync(join(cwd, 'less.json'), JSON.stringify(less));
    const args = ['bench', 'shop', ...QUICK, '--baseline'];
    const worse = await weft([...args, 'less.json', '-o', 'json'], { cwd });
    assert.is(worse.exit, 5);
    const { changes, regressions } = JSON.parse(worse.stdout);
    assert.ok(regressions >= saved.policies.length);
    assert.ok(
      changes.some(
        (c: { metric: string; percent: number }) =>
          c.metric === 'instructions' && c.percent === 100,
      ),
    );

    const machine = { ...saved.machine, fingerprint: 'another' };
    writeFileSync(join(cwd, 'other.json'), JSON.stringify({ ...saved, machine }));
    const other = await weft([...args, 'other.json', '-o', 'json'], { cwd });
    assert.is(other.exit, 4);
    assert.is(JSON.parse(other.stdout).diagnostics[0].code, 'U027');

    writeFileSync(join(cwd, 'none.json'), '{}');
    const none = await weft([...args, 'none.json', '-o', 'json'], { cwd });
    assert.is(none.exit, 3);
    assert.is(JSON.parse(none.stdout).diagnostics[0].code, 'U026');
  }));

test('the kernel is timed too', () =>
  withFolder(async (cwd) => {
    await weft(['init', 'shop'], { cwd });
    const kernel = await openKernel();
    const run = await weft(['bench', 'shop', ...QUICK, '--engine', 'kernel', '-o', 'json'], {
      cwd,
      openKernel: () => Promise.resolve(kernel),
    });
    assert.is(run.exit, 0, run.stdout);
    const { cases, engine } = JSON.parse(run.stdout);
    assert.is(engine, 'kernel');
    assert.ok(cases.every(({ p50 }: { readonly p50: number }) => p50 > 0));
  }));

test('a time is compared on its machine, a share of it told, the worst first', () => {
  const machine = { cpu: 'c', cpus: 1, memoryBytes: 1, kernel: 'k', node: 'n', fingerprint: 'f' };
  const one = { file: 'f', verdict: 'allow', samples: 1, fuel: 0, lookups: 0 };
  const before: BenchDocument = {
    ...{ machine, engine: 'wasm', policies: [] },
    cases: [{ id: 'a', ...one, p50: 100, p99: 100, steps: 10 }],
  };
  const cases = [{ id: 'a', ...one, p50: 130, p99: 900, steps: 9 }];
  const told = (now: BenchDocument, most: number): string[] =>
    compareBench(before, now, most).map((c) => `${c.metric} ${c.percent} ${c.isRegression}`);
  assert.equal(told({ ...before, cases }, 20), [
    'p99 800 false',
    'p50 30 true',
    'lookups 0 false',
    'steps -10 false',
  ]);
  assert.equal(told({ ...before, cases }, 30)[1], 'p50 30 false');
  assert.equal(told({ ...before, cases, engine: 'kernel' }, 20), [
    'lookups 0 false',
    'steps -10 false',
  ]);
  assert.is(readBaseline('{'), null);
});

test.run();
