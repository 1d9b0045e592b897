/** Each row of docs/faults.md names a test that exists, and no fault that must have an outcome is without one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('docs: faults');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(join(root, 'docs/faults.md'), 'utf8');
const ROW = /^\| (.+) \| (.+) \| `(test\/[a-z/-]+\.test\.ts)` "([^"]+)" \|$/;
const MUST = [
  ...['partition', 'slow network', 'full disk', 'clock skew', 'expired certificate'],
  ...['corrupted pin', 'bpffs gone', 'map memory refused', 'the agent is killed'],
];

const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| fault \|/.test(line));

for (const row of rows) {
  const [, fault = '', outcome = '', file = '', title = ''] = ROW.exec(row) ?? [];
  test(`${fault}: ${title}`, () => {
    assert.ok(outcome !== '', `no row of this form: ${row.slice(0, 80)}`);
    assert.ok(existsSync(join(root, file)), file);
    const text = readFileSync(join(root, file), 'utf8');
    const begins = [`test('${title}`, `test(\`${title}`, `test("${title}`];
    assert.ok(
      begins.some((begin) => text.includes(begin)),
      `${file} has no test that begins so`,
    );
  });
}

test('every fault that must have an outcome has a row', () => {
  for (const fault of MUST)
    assert.ok(
      rows.some((row) => row.startsWith(`| ${fault}`)),
      fault,
    );
  assert.ok(rows.length > MUST.length);
});

test.run();
