/** A short run of the fuzz target, so that it goes on building; `npm run fuzz` is the long one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('head fuzz');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const INPUTS = 30_000;

function fuzz(...words: string[]): { status: number | null; text: string } {
  const script = join(root, 'scripts/fuzz.mjs');
  const ran = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
  return { status: ran.status, text: ran.stdout + ran.stderr };
}

test(`${INPUTS} inputs without a fault`, () => {
  const to = mkdtempSync(join(tmpdir(), 'weft-fuzz-'));
  try {
    const { status, text } = fuzz(String(INPUTS), '--target', 'head', '--to', to);
    assert.is(status, 0, text);
    assert.match(text, /no fault/);
  } finally {
    rmSync(to, { recursive: true, force: true });
  }
});

test('what is no number of inputs is a usage error', () => {
  assert.is(fuzz('many').status, 64);
  assert.is(fuzz('0').status, 64);
});

test('the target checks every kind of refusal that there is', () => {
  const target = readFileSync(join(root, 'test/fuzz/head.c'), 'utf8');
  const header = readFileSync(join(root, 'bpf/http/head.h'), 'utf8');
  const last = [...header.matchAll(/^\t(WEFT_HEAD_\w+) = (\d+),/gm)]
    .filter((m) => header.indexOf('enum weft_head_reason') < (m.index ?? 0))
    .filter((m) => header.indexOf('enum weft_name_kind') > (m.index ?? 0))
    .at(-1)?.[1];
  assert.ok(last !== undefined && target.includes(last));
});

test.run();
