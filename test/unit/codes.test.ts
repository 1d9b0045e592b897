/**
 * Codes of findings and errors: each is declared once, used, and shown by a test. docs/errors.md is
 * generated from the declarations, so what holds here holds there.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const CODE = /\b(?:[PITLBWSAUOVFDCN]\d{3}|KERNEL_[A-Z][A-Z_0-9]*)\b/g;
/** Rooms whose codes the verbs of a cluster show. */
const CLUSTER = /^runtime\/(?:control|rollout|spiffe|store)\//;
/** Made from an errno, not declared one by one. */
const FROM_ERRNO = /^KERNEL_E[A-Z]+$/;

/**
 * Codes that no test shows, with the reason. One that a test starts to mention must leave this list.
 */
const UNTESTED: Readonly<Record<string, string>> = {};

function files(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

function codesIn(text: string): string[] {
  return text.match(CODE) ?? [];
}

/** Code without comments: a code that only a comment names is not used. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

const sources = ['compiler', 'runtime'].flatMap((top) =>
  files(join(root, top)).filter((path) => path.endsWith('.ts') && !path.endsWith('.gen.ts')),
);
const tables = sources.filter(
  (path) => path.endsWith('codes.ts') && /export const \w*CODES\b/.test(readFileSync(path, 'utf8')),
);

/** Where each code is declared; more than one place is a fault. */
const declared = new Map<string, string[]>();
for (const path of tables) {
  const file = relative(root, path);
  const built = join(root, 'dist', file.replace(/\.ts$/, '.js'));
  const loaded: Record<string, unknown> = await import(pathToFileURL(built).href);
  for (const [name, table] of Object.entries(loaded)) {
    if (!name.endsWith('CODES') || typeof table !== 'object' || table === null) continue;
    for (const code of Object.keys(table)) {
      declared.set(code, [...(declared.get(code) ?? []), file]);
    }
  }
}

const used = new Set(
  sources
    .filter((path) => !tables.includes(path))
    .flatMap((path) => codesIn(withoutComments(readFileSync(path, 'utf8')))),
);

const self = join(root, 'test/unit/codes.test.ts');
const shown = new Set(
  files(join(root, 'test'))
    .filter((path) => path !== self && /\.(ts|case|txt|cli|yaml)$/.test(path))
    .flatMap((path) => codesIn(readFileSync(path, 'utf8'))),
);

const test = suite('codes');

test('the tables are found', () => {
  assert.ok(tables.length >= 10, tables.join(' '));
  assert.ok(declared.size > 80, String(declared.size));
});

test('a code is declared once', () => {
  assert.equal(
    [...declared].filter(([, places]) => places.length > 1),
    [],
  );
});

test('every used code is declared', () => {
  assert.equal(
    [...used].filter((code) => !declared.has(code) && !FROM_ERRNO.test(code)).sort(),
    [],
  );
});

test('every declared code is used', () => {
  assert.equal(
    [...declared.keys()].filter((code) => !used.has(code) && !FROM_ERRNO.test(code)).sort(),
    [],
  );
});

test('every code is shown by a test, or stands in the list of those that are not', () => {
  const missing = [...declared.keys()].filter((code) => !shown.has(code) && !(code in UNTESTED));
  assert.equal(missing.sort(), []);
});

test('the list of untested codes holds nothing that is tested or gone', () => {
  assert.equal(
    Object.keys(UNTESTED).filter((code) => shown.has(code) || !declared.has(code)),
    [],
  );
});

test('the tool knows the remedy of every code of a cluster', async () => {
  const { remedyOf }: { remedyOf: (code: string) => string | null } = await import(
    pathToFileURL(join(root, 'dist/runtime/cli/remedies.js')).href
  );
  const missing = [...declared]
    .filter(([code, [file = '']]) => CLUSTER.test(file) && remedyOf(code) === null)
    .map(([code, places]) => `${code} of ${places.join(', ')}`);
  assert.equal(missing, []);
});

test('a code in a comment is no use of it', () => {
  assert.equal(codesIn(withoutComments('// P999\n/* P998 */ x("P997");')), ['P997']);
});

test.run();
