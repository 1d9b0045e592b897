/** Gives every test of a suite a folder of its own, with a new project `shop` and its bundle; both are built once. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, Test } from 'uvu';
import * as assert from 'uvu/assert';
import { weft } from './harness.js';

/** `begin` is told the folder before each test; `bundle` is the name of the file in it. */
export function eachInBuiltProject(
  test: Test<Context>,
  bundle: string,
  begin: (folder: string) => void,
): void {
  let template = '';
  let folder = '';
  test.before(async () => {
    template = mkdtempSync(join(tmpdir(), 'weft-template-'));
    await weft(['init', 'shop'], { cwd: template });
    const built = await weft(['build', 'shop', '--out', bundle], { cwd: template });
    assert.is(built.exit, 0, built.stderr);
  });
  test.after(() => rmSync(template, { recursive: true, force: true }));
  test.before.each(() => {
    folder = mkdtempSync(join(tmpdir(), 'weft-project-'));
    cpSync(template, folder, { recursive: true });
    begin(folder);
  });
  test.after.each(() => rmSync(folder, { recursive: true, force: true }));
}
