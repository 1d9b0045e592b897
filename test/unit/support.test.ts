/** docs/support.md: every row has a verdict, and every test that it names exists. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Row {
  readonly feature: string;
  readonly support: string;
  readonly tests: readonly string[];
}

function rowsOf(page: string): Row[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:feature|machine) \|/.test(line))
    .map((line) => {
      const [feature = '', support = '', shown = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      const tests = [...shown.matchAll(/`(test\/[^`]+)`/g)].map((m) => m[1] ?? '');
      return { feature, support, tests };
    });
}

/** What is wrong with a row; null for nothing. */
function judge({ feature, support, tests }: Row): string | null {
  const kind = /^(yes|partial|no)\b/.exec(support)?.[1];
  if (kind === undefined) return `${feature}: neither yes, partial nor no`;
  if (kind === 'partial' && !support.includes(':')) return `${feature}: partial, but not why`;
  if (kind === 'yes' && tests.length === 0) return `${feature}: no test`;
  const gone = tests.filter((test) => !existsSync(join(root, test)));
  return gone.length > 0 ? `${feature}: no file ${gone.join(', ')}` : null;
}

const test = suite('docs: support.md');

test('every row is honest', () => {
  const rows = rowsOf(readFileSync(join(root, 'docs/support.md'), 'utf8'));
  assert.ok(rows.length > 40, String(rows.length));
  assert.equal(
    rows.map(judge).filter((fault) => fault !== null),
    [],
  );
});

test('a row without test, verdict or file is told', () => {
  const faults = rowsOf(
    '| a | yes | |\n| b | maybe | |\n| c | no | `test/unit/none.test.ts` |\n| d | partial | |\n| e | no | |',
  ).map(judge);
  assert.equal(
    faults.map((fault) => fault !== null),
    [true, true, true, true, false],
  );
});

test.run();
