// Which files a suite is made of, and which it reaches: a kept verdict is one about just these texts.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folders of rows beside a test file: `test/case/*.case`, `test/file/passes/*.ir`. */
const ROWS = { 'case/cases': 'case', 'case/conformance': 'case/conformance' };
const SPECIFIER = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** Names of the test files of a suite, without `test/` and `.test.ts`: `case` has two, `case/cases#^cidr` one. */
function testsOf(root, tier) {
  if (existsSync(join(root, 'test', `${tier}.test.ts`))) return [tier];
  return filesBelow(join(root, 'test', tier))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => path.slice(join(root, 'test/').length, -'.test.ts'.length));
}

/** The sources of the suite itself: its test files and the rows that they read. None where there is no such suite. */
export function suiteFiles(root, suite) {
  const [tier, cases = ''] = suite.split('#');
  const wanted = new RegExp(cases);
  return testsOf(root, tier).flatMap((name) => {
    const folder = join(root, 'test', ROWS[name] ?? name);
    const rows = existsSync(folder)
      ? readdirSync(folder)
          .sort()
          .filter((row) => !row.endsWith('.ts') && (!row.endsWith('.case') || wanted.test(row)))
          .flatMap((row) => (statSync(join(folder, row)).isFile() ? [join(folder, row)] : []))
      : [];
    return [join(root, 'test', `${name}.test.ts`), ...rows];
  });
}

/** Hashes texts of files, each file once in the life of a run. */
export class TextHashes {
  #texts = new Map();

  constructor(root) {
    this.root = root;
  }

  text(path) {
    if (!this.#texts.has(path)) {
      this.#texts.set(path, existsSync(path) ? readFileSync(path, 'utf8') : '');
    }
    return this.#texts.get(path);
  }

  /** Of some words and the texts of some files. */
  hash(words, paths) {
    const sum = createHash('sha256').update(JSON.stringify(words));
    for (const path of paths) sum.update(`\0${path.slice(this.root.length)}\0${this.text(path)}`);
    return sum.digest('hex').slice(0, 24);
  }

  /** Of all that a suite reaches: built modules by their imports, the C sources, its own files. */
  reached(suite) {
    const seen = new Set();
    const waiting = testsOf(this.root, suite.split('#')[0]).map((name) =>
      join(this.root, 'dist/test', `${name}.test.js`),
    );
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      for (const [, to] of this.text(path).matchAll(SPECIFIER))
        waiting.push(join(dirname(path), to));
    }
    const sources = filesBelow(join(this.root, 'bpf')).filter((path) => /\.(c|h|mjs)$/.test(path));
    return this.hash(suite, [...[...seen].sort(), ...sources, ...suiteFiles(this.root, suite)]);
  }
}
