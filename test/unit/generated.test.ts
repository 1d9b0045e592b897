/** Generated files are what their generators write, and `--check` says which command to run. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function gen(at: string, ...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [join(at, 'scripts/gen.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stderr };
}

const test = suite('generated files');

test('none is stale', () => {
  assert.equal(gen(root, '--check'), { status: 0, stderr: '' });
});

test('a stale one is named with the command, and left as it is', () => {
  const copy = mkdtempSync(join(tmpdir(), 'weft-gen-'));
  try {
    for (const name of ['scripts', 'policies', 'docs'])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    for (const name of ['compiler', 'runtime', 'node_modules'])
      symlinkSync(join(root, name), join(copy, name));
    writeFileSync(join(copy, 'docs/abi.md'), 'old');
    const { status, stderr } = gen(copy, 'abi', '--check');
    assert.is(status, 3);
    assert.is(stderr, 'docs/abi.md is stale: run `node scripts/gen.mjs abi`\n');
    assert.is(readFileSync(join(copy, 'docs/abi.md'), 'utf8'), 'old');
    assert.is(gen(copy, 'abi').status, 0);
    assert.is(
      readFileSync(join(copy, 'docs/abi.md'), 'utf8'),
      readFileSync(join(root, 'docs/abi.md'), 'utf8'),
    );
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test('a generator that does not exist is refused', () => {
  assert.is(gen(root, 'nothing').status, 64);
});

test.run();
