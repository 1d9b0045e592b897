/** Files of tests that read what they read before are not compiled again; whatever changed is seen. */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findKeptTests, keepTests } from '../../runtime/cli/kept-tests.js';
import { weft, withFolder } from './harness.js';

const test = suite('kept tests');
const KEPT = 'shop/.weft/tests';
const RUN = ['test', 'shop', 'shop/policies/own.test.ts', '-o', 'json'];
const HELPER = 'export function place(): string { return "ratings.prod:80"; }\n';
const TESTS = `import { connect, expect, test } from "weft/test";
import { place } from "./helper";
test("reviews may", () => { expect(connect("reviews.prod", place())).toAllow(); });
`;

/** A project with a file of tests that imports another file. */
async function withTests(run: (cwd: string) => Promise<void>): Promise<void> {
  await withFolder(async (cwd) => {
    await weft(['init', 'shop'], { cwd });
    writeFileSync(join(cwd, 'shop/policies/helper.ts'), HELPER);
    writeFileSync(join(cwd, 'shop/policies/own.test.ts'), TESTS);
    await run(cwd);
  });
}

const entries = (cwd: string): string[] =>
  readdirSync(join(cwd, KEPT)).map((name) => join(cwd, KEPT, name));

test('a file of tests is compiled once, by another program again, and never stale', () =>
  withTests(async (cwd) => {
    const first = await weft(RUN, { cwd });
    assert.is(first.exit, 0, first.stdout);
    const [entry = ''] = entries(cwd);
    const made = (): number => statSync(entry).ino;
    const before = made();
    assert.is((await weft(RUN, { cwd })).stdout, first.stdout);
    assert.is(made(), before, 'nothing was compiled');
    await weft(RUN, { cwd, program: 'another' });
    assert.is.not(made(), before);

    const helper = join(cwd, 'shop/policies/helper.ts');
    writeFileSync(helper, HELPER.replace(':80', ':81'));
    assert.is((await weft(RUN, { cwd })).exit, 2, 'what it imports counts');
    writeFileSync(helper, 'nonsense(');
    assert.is((await weft(RUN, { cwd })).exit, 3);
    writeFileSync(helper, HELPER);
    assert.is((await weft(RUN, { cwd })).stdout, first.stdout);
  }));

test('what is torn, damaged or of another file is compiled again', () =>
  withTests(async (cwd) => {
    const first = await weft(RUN, { cwd });
    const [entry = ''] = entries(cwd);
    const whole = readFileSync(entry);
    const flipped = Buffer.from(whole);
    const at = whole.indexOf('"wasm":"') + 100;
    flipped[at] = flipped[at] === 0x41 ? 0x42 : 0x41;
    for (const bytes of [whole.subarray(0, -100), flipped]) {
      writeFileSync(entry, bytes);
      assert.is((await weft(RUN, { cwd })).stdout, first.stdout);
      assert.ok(readFileSync(entry).equals(whole), 'and kept again');
    }
    // An entry under the name of another file.
    const other = join(cwd, 'shop/policies/other.test.ts');
    writeFileSync(other, TESTS.replace('reviews may', 'another'));
    const others = RUN.map((word) => word.replace('own', 'other'));
    assert.match((await weft(others, { cwd })).stdout, /"another"/);
    const name = entries(cwd).find((path) => path !== entry) ?? '';
    copyFileSync(entry, name);
    assert.match((await weft(others, { cwd })).stdout, /"another"/);
  }));

test('without a cache nothing is read or kept; several run beside each other', () =>
  withTests(async (cwd) => {
    const fresh = await weft([...RUN, '--no-cache'], { cwd });
    assert.is(fresh.exit, 0, fresh.stdout);
    assert.is(existsSync(join(cwd, 'shop/.weft')), false);
    const runs = await Promise.all([1, 2, 3].map(() => weft(RUN, { cwd })));
    for (const run of runs) assert.is(run.stdout, fresh.stdout);
    assert.is(entries(cwd).length, 1);
    const [entry = ''] = entries(cwd);
    const before = statSync(entry).ino;
    await weft([...RUN, '--no-cache'], { cwd, program: 'another' });
    assert.is(statSync(entry).ino, before);
    rmSync(join(cwd, 'shop/.weft'), { recursive: true });
    writeFileSync(join(cwd, 'shop/.weft'), 'in the way');
    assert.is((await weft(RUN, { cwd })).stdout, fresh.stdout, 'nothing can be kept');
  }));

test('the oldest entries go where there is too much', () =>
  withFolder(async (folder) => {
    const code = { wasm: new Uint8Array(8 * 1024 * 1024), sourceMap: '{}' };
    const keep = (file: string): void =>
      keepTests(folder, file, { program: 'p', inputs: { none: null }, code });
    const old = (): string[] => readdirSync(join(folder, '.weft/tests'));
    keep('a');
    const [first = ''] = old();
    utimesSync(join(folder, '.weft/tests', first), 1, 1);
    keep('b');
    assert.ok(findKeptTests(folder, 'a', 'p'));
    keep('c');
    assert.is(findKeptTests(folder, 'a', 'p'), null);
    assert.ok(findKeptTests(folder, 'b', 'p'));
    assert.ok(findKeptTests(folder, 'c', 'p'));
    writeFileSync(join(folder, 'none'), 'there now');
    assert.is(findKeptTests(folder, 'c', 'p'), null, 'a file that was not there counts');
  }));

test.run();
