/** Paths and links in the docs lead somewhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));

function pages(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return pages(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

/** A path of the tree in backticks; patterns with `*` or upper-case placeholders are none. */
const PATH = /`((?:compiler|runtime|bpf|policies|scripts|test|docs)\/[a-z0-9_./-]+)`/g;
const LINK = /\]\(([^)#]+)(?:#[^)]*)?\)/g;

/** What a page names and the tree lacks. */
function dead(page: string, text: string): string[] {
  const named = [...text.matchAll(PATH)].map((m) => join(root, m[1] ?? ''));
  const linked = [...text.matchAll(LINK)]
    .map((m) => m[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(page), target));
  return [...named, ...linked]
    .filter((path) => !existsSync(path))
    .map((path) => `${relative(root, page)}: ${relative(root, path)}`);
}

const all = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((name) => join(root, name)),
  ...pages(join(root, 'docs')),
  ...pages(join(root, 'policies')),
];

const test = suite('docs: paths');

test('every path and link exists', () => {
  assert.ok(all.length > 15, String(all.length));
  assert.equal(
    all.flatMap((page) => dead(page, readFileSync(page, 'utf8'))),
    [],
  );
});

test('a dead one is told', () => {
  assert.equal(dead(join(root, 'docs/x.md'), 'see `compiler/nothing.ts` and [that](gone.md)'), [
    'docs/x.md: compiler/nothing.ts',
    'docs/x.md: docs/gone.md',
  ]);
});

test.run();
