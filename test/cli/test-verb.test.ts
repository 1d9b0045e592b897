/** `weft test` as a user meets it: both kinds of tests, each report, coverage, and what fails. */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { weft, withFolder } from './harness.js';

const test = suite('weft test');
const EXAMPLE = fileURLToPath(new URL('../../../policies/examples/bookinfo/', import.meta.url));

const WRONG = `import { connect, expect, request, test, useWorld } from "weft/test";
const ends = "ratings.prod:80";
test("a wrong expectation goes on", () => {
  expect(connect("reviews-v1.prod", ends)).toAllow()
    .toBeDecidedBy("callers.ts:16");
  expect(connect("reviews-v2.prod", ends)).toDeny();
});
test("nobody is no workload", () => { expect(connect("nobody.prod", ends)).toAllow(); });
test("an index out of range", () => { const a: i32[] = [1]; if (a[a[0]] > 0) throw new Error("x"); });
test("a world of its own", () => {
  useWorld("workloads: [{ name: a.prod, addresses: [10.9.0.1] }]");
  expect(connect("a.prod", "10.9.0.1:80")).toDeny().toHaveReason("default");
});
test("a world that is none", () => { useWorld("workloads: 7"); });
test("A <b> & \\"c\\"", () => { expect(request("acme.edge", "productpage.prod:80", "GET", "/x").random(0.5)).toDeny(); });
`;

interface Result {
  readonly name: string;
  readonly line: number;
  readonly isPassed: boolean;
  readonly details: readonly string[];
}

test('an example passes in both engines, with coverage and its files', () =>
  withFolder(async (folder) => {
    const kernel = await openKernel();
    const out = join(folder, 'coverage');
    const run = await weft(['test', EXAMPLE, '--engine', 'both', '--coverage-out', out], {
      openKernel: () => Promise.resolve(kernel),
    });
    assert.is(run.exit, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /27 passed, 0 failed\ncoverage: rules 100 %/);
    // What no test shows is named: nobody has a free plan.
    assert.match(
      run.stdout,
      /tenants\.ts:15 {2}plans\.get\(source\.label\("tenant"\)\) == 1 never held/,
    );
    const lcov = readFileSync(join(out, 'lcov.info'), 'utf8');
    assert.match(lcov, /^SF:policies\/callers\.ts$/m);
    assert.match(lcov, /^DA:16,\d+$/m);
    assert.ok(JSON.parse(readFileSync(join(out, 'coverage.json'), 'utf8')).percent.total > 90);
    assert.match(readFileSync(join(out, 'index.html'), 'utf8'), /<!doctype html>/);
  }));

test('what fails is told with its line, in each form', () =>
  withFolder(async (folder) => {
    cpSync(EXAMPLE, folder, { recursive: true });
    const file = join(folder, 'policies/wrong.test.ts');
    writeFileSync(file, WRONG);
    const bundle = join(folder, 'b.weft');
    assert.is((await weft(['build', folder, '--out', bundle])).exit, 0);
    const run = (...words: string[]) => weft(['test', folder, file, ...words]);
    const json = await run('-o', 'json');
    assert.is(json.exit, 2);
    const { results, summary } = JSON.parse(json.stdout);
    assert.equal(summary, { passed: 1, failed: 5 });
    const told = results.map(({ line, isPassed, details }: Result) => [line, isPassed, ...details]);
    assert.equal(told.slice(0, 4), [
      [
        4,
        false,
        'line 4: verdict: expected allow, got deny',
        'line 6: verdict: expected deny, got allow',
      ],
      [8, false, 'line 8: `nobody.prod` is no workload or address'],
      [9, false, 'line 9: Index out of range'],
      [10, true],
    ]);
    const junit = await run('-o', 'junit', '--run', '^A ');
    assert.match(junit.stdout, /<testsuites name="weft" tests="1" failures="1">/);
    assert.match(junit.stdout, /name="A &lt;b&gt; &amp; &quot;c&quot;"/);
    const tap = await run('-o', 'tap', '--run', 'nobody|own');
    assert.match(tap.stdout, /^TAP version 14\n1\.\.2\nnot ok 1 - .*\n {2}---\n/);
    const github = await run('-o', 'github', '--run', 'nobody');
    assert.match(github.stdout, /^::error file=.*wrong\.test\.ts,line=8,title=nobody/);
    const line = await run('-o', 'ndjson', '--run', '^A ');
    assert.is(line.stdout.split('\n').length, 2);
    const { exit: told2, results: one } = JSON.parse(line.stdout);
    assert.equal([told2, one.length, line.exit], [2, 1, 2]);
    const quiet = await run('--only-show-failures', '--run', 'own');
    assert.is(quiet.stdout, '1 passed, 0 failed\n');
    const none = await run('--run', 'no such test');
    assert.is(none.exit, 2);
    assert.match(none.stderr, /U016/);
    // What keeps tests from running stands in reports, too: programs read nothing else.
    const empty = await run('--run', 'no such test', '-o', 'junit');
    assert.match(empty.stdout, /tests="1" failures="1">[\s\S]*name="U016"[\s\S]*no test ran/);
    const under = await run('--run', 'own', '--fail-under', '90');
    assert.is(under.exit, 2);
    assert.match(under.stderr, /U017/);
    const reported = await run('--run', 'own', '--fail-under', '90', '-o', 'tap');
    assert.match(reported.stdout, /^TAP version 14\n1\.\.2\nok 1 .*\nnot ok 2 - .*U017\n/);
    const enough = await run('--run', 'own', '--fail-under', '0', '-o', 'tap');
    assert.match(enough.stdout, /^TAP version 14\n1\.\.1\nok 1 /);
    const gone = await run(join(folder, 'gone.test.ts'));
    assert.is(gone.exit, 1);
    assert.match(gone.stderr, /U010.*gone\.test\.ts/);
    assert.is((await run('--fail-under', '101')).exit, 64);
    assert.is((await run('--run', '(')).exit, 64);
    writeFileSync(file, 'import { test } from "weft/test";\ntest("x", () => { y(); });\n');
    const broken = await run();
    assert.is(broken.exit, 3);
    assert.match(broken.stderr, /wrong\.test\.ts:2:/);
    assert.is(broken.stdout, '');
    const unable = await run('-o', 'tap');
    assert.is(unable.exit, 3);
    assert.match(unable.stdout, /^TAP version 14\n1\.\.1\nnot ok 1 - .*wrong\.test\.ts TS2304\n/);
    const annotated = await run('-o', 'github');
    assert.match(annotated.stdout, /^::error file=[^\n]*wrong\.test\.ts,line=2,title=TS2304::/);
    assert.ok(existsSync(bundle));
  }));

const EXAMPLES = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));

test('a folder of projects runs the tests of each', () =>
  withFolder(async (folder) => {
    const at = (...path: string[]): string => join(folder, ...path);
    cpSync(join(EXAMPLES, 'ports'), at('all/one'), { recursive: true });
    cpSync(join(EXAMPLES, 'shop-api'), at('all/more/two'), { recursive: true });
    const run = (...words: string[]) => weft(['test', 'all', ...words], { cwd: folder });
    const [one, two] = [
      await weft(['test', 'all/one', '-o', 'json'], { cwd: folder }),
      await weft(['test', 'all/more/two', '-o', 'json'], { cwd: folder }),
    ].map(({ stdout }) => JSON.parse(stdout));
    const out = at('out');
    const both = await run('-o', 'json', '--coverage-out', out);
    assert.is(both.exit, 0, both.stdout);
    const document = JSON.parse(both.stdout);
    assert.equal(document.results, [...two.results, ...one.results]);
    assert.is(document.summary.passed, one.summary.passed + two.summary.passed);
    assert.equal(
      document.projects.map(({ project, bundle, summary }: Record<string, unknown>) => {
        return [project, bundle, summary];
      }),
      [
        ['all/more/two', two.bundle, two.summary],
        ['all/one', one.bundle, one.summary],
      ],
    );
    assert.ok(
      existsSync(join(out, 'one/lcov.info')) && existsSync(join(out, 'more/two/lcov.info')),
    );
    const text = await run('--coverage', '--fail-under', '100');
    assert.match(text.stdout, /\nall\/more\/two: coverage: [\s\S]*\nall\/one: coverage: /);
    // Files are of one project, and so is watching.
    assert.match((await run('all/one/scenario.yaml')).stderr, /U003.*holds several projects/);
    assert.is((await run('--watch')).exit, 64);
    // A folder that a project lies in is no project where it holds a weft.json of its own, nor where it is hidden.
    cpSync(at('all/one'), at('all/.kept'), { recursive: true });
    cpSync(join(EXAMPLES, 'ports'), at('all/one/inner'), { recursive: true });
    const own = JSON.parse((await run('-o', 'json')).stdout);
    assert.equal(
      own.projects.map(({ project }: { project: string }) => project),
      ['all/more/two', 'all/one'],
    );
    const nothing = await weft(['test', '.', '--run', 'no such test'], { cwd: at('all') });
    assert.is(nothing.exit, 2);
    assert.match(nothing.stderr, /U016.*more\/two: no test ran[\s\S]*U016.*one: no test ran/);
  }));

test('a project at fault does not keep the others from their tests', () =>
  withFolder(async (folder) => {
    for (const name of ['a', 'b', 'c']) {
      cpSync(join(EXAMPLES, 'ports'), join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'a/policy.ts'), 'import { Verdict } from "weft";\nlet x: y = 1;\n');
    const scenario = join(folder, 'c/scenario.yaml');
    const all = readFileSync(scenario, 'utf8');
    const { name } = JSON.parse((await weft(['test', join(folder, 'b'), '-o', 'json'])).stdout)
      .results[0] as Result;
    const run = (...words: string[]) => weft(['test', '.', ...words], { cwd: folder });
    const told = await run();
    assert.is(told.exit, 3);
    assert.match(told.stderr, /a\/policy\.ts:2:[\s\S]*let x: y = 1/);
    assert.match(told.stdout, /^ok {3}b\/scenario\.yaml:/);
    assert.match(told.stdout, /\nok {3}c\/scenario\.yaml:/);
    const junit = await run('-o', 'junit');
    assert.match(junit.stdout, /<testsuite name="a\/policy\.ts" tests="1" failures="1"/);
    // Of tests that are asked for by name, a project needs to have none.
    cpSync(join(folder, 'b/policy.ts'), join(folder, 'a/policy.ts'));
    writeFileSync(scenario, all.replaceAll(name, 'of its own'));
    assert.is((await run('--run', 'of its own')).exit, 0);
    writeFileSync(scenario, all.replace(/allow/, 'deny'));
    const failed = await run();
    assert.is(failed.exit, 2);
    assert.match(failed.stdout, /FAIL c\/scenario\.yaml/);
    assert.is((await run('--run', '(')).stderr.match(/U003/g)?.length, 1);
  }));

test.run();
