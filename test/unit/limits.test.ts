/** docs/limits.md: each value is what the source says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Row {
  readonly name: string;
  readonly file: string;
  readonly value: string;
}
const ROW = /^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \| (\S+) \| [^|]+ \| [^|]+ \|$/gm;
const page = readFileSync(join(root, 'docs/limits.md'), 'utf8');
const rows: Row[] = [...page.matchAll(ROW)].map(([, name = '', file = '', value = '']) => ({
  name,
  file,
  value,
}));

/** The number that a constant expression of literals, `*` and `<<` gives; null for anything else. */
function evaluate(text: string): number | null {
  const factors = text
    .replace(/_/g, '')
    .trim()
    .split(/\s*(?:\*|<<)\s*/);
  const operators = text.match(/\*|<</g) ?? [];
  const numbers = factors.map((factor) => (/^(0x[0-9a-f]+|\d+)$/i.test(factor) ? +factor : null));
  return numbers.reduce((left, right, i) => {
    if (left === null || right === null) return null;
    return operators[i - 1] === '<<' ? left * 2 ** right : left * right;
  });
}

/** The text of a constant's value in TypeScript, of a macro or a map's size in C. */
function declaration(name: string, source: string): string | undefined {
  const patterns = [
    `const ${name}(?:: number)? = ([^;]+);`,
    `#define ${name}[ \\t]+(\\w+)`,
    `max_entries, ([^)]+)\\);(?:(?!max_entries)[\\s\\S])*?\\} ${name} SEC`,
  ];
  for (const pattern of patterns) {
    const found = new RegExp(pattern).exec(source)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `budget.fuel default` in a schema. */
function inSchema(name: string, schema: unknown): number | null {
  const [path = '', keyword = ''] = name.split(' ');
  let node: unknown = schema;
  for (const key of [...path.split('.').flatMap((part) => ['properties', part]), keyword]) {
    if (typeof node !== 'object' || node === null) return null;
    node = (node as Readonly<Record<string, unknown>>)[key];
  }
  return typeof node === 'number' ? node : null;
}

function inSource({ name, file }: Row): number | null {
  const source = readFileSync(join(root, file), 'utf8');
  if (file.endsWith('.json')) return inSchema(name, JSON.parse(source));
  return evaluate(declaration(name, source) ?? '');
}

const test = suite('docs: limits.md');

test('the tables are read', () => {
  const lines = page.split('\n').filter((line) => /^\|.*\| `/.test(line));
  assert.ok(rows.length > 30, String(rows.length));
  assert.is(rows.length, lines.length, 'a row is not of the form that is compared');
});

for (const row of rows)
  test(`${row.name} of ${row.file}`, () => {
    assert.is(inSource(row), Number(row.value));
  });

test('expressions are computed, others are not taken for numbers', () => {
  assert.is(evaluate('1 << 20'), 1048576);
  assert.is(evaluate('8 * 1024 * 1024'), 8388608);
  assert.is(evaluate('0xffef'), 65519);
  assert.is(evaluate('OTHER'), null);
  assert.is(inSource({ name: 'MAX_NOTHING', file: 'compiler/abi/verdict.ts', value: '1' }), null);
});

test.run();
