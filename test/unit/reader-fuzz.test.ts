/** A short run over the readers of bytes from outside; `npm run fuzz -- 10000000 --target readers` is the long one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('reader fuzz');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const INPUTS = 9000;

test(`${INPUTS} inputs without a fault, some for each reader`, () => {
  const script = join(root, 'scripts/fuzz.mjs');
  const words = [script, String(INPUTS), '--target', 'readers'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
  assert.is([...stdout.matchAll(/^\w+: 1000 inputs, no fault/gm)].length, 9, stdout);
});

test.run();
