/** The scenario of every example, decided in the kernel and under V8: no difference. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openKernel } from '../../runtime/kernel/index.js';
import { weft } from '../cli/harness.js';

const root = fileURLToPath(new URL('../../../policies/examples/', import.meta.url));
const test = suite('examples in both engines');

for (const name of readdirSync(root).sort())
  test(name, async () => {
    const folder = join(root, name);
    const { exit, stdout, stderr } = await weft(
      ['simulate', folder, join(folder, 'scenario.yaml'), '--engine', 'both', '-o', 'json'],
      { openKernel: async () => openKernel() },
    );
    assert.is(exit, 0, stdout + stderr);
    const { engine, results, differences } = JSON.parse(stdout) as {
      readonly engine: string;
      readonly results: readonly unknown[];
      readonly differences: readonly unknown[];
    };
    assert.is(engine, 'both');
    assert.ok(results.length >= 5, String(results.length));
    assert.equal(differences, []);
  });

test.run();
