/** A short run of the framer's fuzz target, so that it goes on building; `npm run fuzz` is the long one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('reply fuzz');
const INPUTS = 20_000;

function fuzz(...words: string[]): { status: number | null; text: string } {
  const script = fileURLToPath(new URL('../../../scripts/fuzz.mjs', import.meta.url));
  const ran = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
  return { status: ran.status, text: ran.stdout + ran.stderr };
}

test(`${INPUTS} inputs without a fault`, () => {
  const to = mkdtempSync(join(tmpdir(), 'weft-fuzz-'));
  try {
    const { status, text } = fuzz(String(INPUTS), '--target', 'frame', '--to', to);
    assert.is(status, 0, text);
    assert.match(text, /frame: \d+ inputs, no fault/);
  } finally {
    rmSync(to, { recursive: true, force: true });
  }
});

test('a target that does not exist is a usage error', () => {
  assert.is(fuzz('1', '--target', 'tail').status, 64);
});

test.run();
