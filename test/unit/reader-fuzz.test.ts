/** A short run over the readers of bytes from outside; `npm run fuzz -- 10000000 --target readers` is the long one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('reader fuzz');
const root = fileURLToPath(new URL('../../../', import.meta.url));
/** So many for each. */
const SHARE = 900;
const READERS = 10;
const INPUTS: number = SHARE * READERS;

test(`${INPUTS} inputs without a fault, some for each reader`, () => {
  const script = join(root, 'scripts/fuzz.mjs');
  const words = [script, String(INPUTS), '--target', 'readers'];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
  const told = new RegExp(`^\\w+: ${SHARE} inputs, no fault`, 'gm');
  assert.is([...stdout.matchAll(told)].length, READERS, stdout);
});

test.run();
