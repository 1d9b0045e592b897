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

/** The anchors of a page, as GitHub makes them of its headings. */
const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map((m) =>
    (m[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Links to headings that are not there: of this page, or of another one that exists. */
function deadAnchors(page: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^):#]*)#([^)]+)\)/g)]
    .filter(([, target = '', anchor = '']) => {
      const file = join(dirname(page), target);
      if (target !== '' && !existsSync(file)) return false;
      return !anchors(target === '' ? text : readFileSync(file, 'utf8')).includes(anchor);
    })
    .map(([, target = '', anchor = '']) => `${relative(root, page)}: ${target}#${anchor}`);
}

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

test('every heading that a link names exists', () => {
  assert.equal(
    all.flatMap((page) => deadAnchors(page, readFileSync(page, 'utf8'))),
    [],
  );
  const text = '# A `b`, c\n[x](#a-b-c) [y](#gone) [z](../README.md#gone)';
  assert.equal(deadAnchors(join(root, 'docs/x.md'), text), [
    'docs/x.md: #gone',
    'docs/x.md: ../README.md#gone',
  ]);
});

test('the page of benchmarks leads to each page of figures', () => {
  const index = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8');
  for (const page of pages(join(root, 'docs/benchmarks')))
    assert.ok(index.includes(`](${relative(join(root, 'docs'), page)}`), page);
});

test('a dead one is told', () => {
  assert.equal(dead(join(root, 'docs/x.md'), 'see `compiler/nothing.ts` and [that](gone.md)'), [
    'docs/x.md: compiler/nothing.ts',
    'docs/x.md: docs/gone.md',
  ]);
});

test.run();
