/** A short run over the readers of bytes from outside; `npm run fuzz -- 10000000 --target readers` is the long one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('reader fuzz');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const INPUTS = 12_500;
/** As many as there are, at least; each has an equal share. */
const READERS = 25;

test(`${INPUTS} inputs without a fault, some for each reader`, () => {
  const script = join(root, 'scripts/fuzz.mjs');
  const words = [script, String(INPUTS), '--target', 'readers', '--no-build'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
  const told = [...stdout.matchAll(/^([\w-]+): (\d+) inputs, no fault/gm)];
  const shares = told.filter(([, name]) => name !== 'readers').map(([, , count]) => Number(count));
  assert.ok(shares.length >= READERS, stdout);
  assert.ok(Math.min(...shares) >= Math.floor(INPUTS / shares.length), stdout);
});

test.run();
