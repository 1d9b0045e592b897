/** The nightly command over generated policies: it may be cut anywhere, goes on there, and counts what was compared. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const test = suite<{ to: string }>('the nightly run');
test.before((context) => {
  context.to = mkdtempSync(join(tmpdir(), 'weft-nightly-'));
});
test.after(({ to }) => {
  rmSync(to, { recursive: true });
});

/** Two bundles of each kind, one a slice, both kinds side by side; what the last line says. */
function run(to: string, seconds: number): string {
  const words = ['8000', '--target', 'policies', '--seed', '77', '--to', to, '--for', `${seconds}`];
  const ran = spawnSync(process.execPath, [join(root, 'scripts/fuzz.mjs'), ...words], {
    cwd: root,
    env: { ...process.env, WEFT_IR_EACH: '50', WEFT_FUZZ_SLICE: '1' },
    encoding: 'utf8',
  });
  assert.is(ran.status, 0, ran.stdout + ran.stderr);
  return (ran.stdout.trim().split('\n').at(-1) ?? '').replace(/, [\d.]+ s,/, '');
}

test('a run without time does nothing, and says so', ({ to }) => {
  const said = 'policies: 0 policies, 0 decisions, not yet 8000, no difference seed 77';
  assert.is(run(to, 0), said);
});

test('one that ends early is gone on with, not begun again', ({ to }) => {
  const first = 'policies: 6 policies, 5900 decisions, not yet 8000, no difference seed 77';
  assert.is(run(to, 1), first);
  assert.is(run(to, 600), 'policies: 12 policies, 11800 decisions, no difference seed 77');
});

test.run();
