/**
 * The direction of imports, enforced from the very table that docs/architecture.md prints: a room may
 * import what its row lists and nothing else; packages and Node builtins with rules have rows too.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const architecture = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

/** Rows of the table that follows a heading: cells as lists of the words in backticks. */
function tableAfter(heading: string): string[][][] {
  const section = architecture.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? '')),
    );
}

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

/** Every specifier that a file imports, statically or by `import()`; types count too. */
function specifiers(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)['"]([^'"]+)['"]/gm)].map(
    (m) => m[1] ?? '',
  );
}

const rooms = new Map(
  tableAfter('Rooms').map(([room, allowed]) => [room?.[0] ?? '', allowed ?? []]),
);
const doors = new Map(
  tableAfter('Doors').map(([specifier, allowed]) => [specifier?.[0] ?? '', allowed ?? []]),
);

/** The room of a file: the longest row that is a prefix of its path. */
function roomOf(path: string): string | null {
  const found = [...rooms.keys()].filter((room) => path === room || path.startsWith(`${room}/`));
  return found.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** What is wrong with one import; null where it is allowed. */
function judge(file: string, specifier: string): string | null {
  const room = roomOf(file);
  if (room === null) return `${file}: no row in docs/architecture.md`;
  if (specifier.startsWith('.')) {
    const target = relative(root, join(root, dirname(file), specifier)).replace(/\.js$/, '.ts');
    const to = roomOf(target);
    if (to === room || to === null) return null;
    return rooms.get(room)?.includes(to) ? null : `${file}: ${room} may not import ${to}`;
  }
  for (const [door, allowed] of doors) {
    const hit = door.endsWith('*') ? specifier.startsWith(door.slice(0, -1)) : specifier === door;
    if (hit && !allowed.some((a) => file === a || file.startsWith(`${a}/`))) {
      return `${file}: only ${allowed.join(', ')} may import ${specifier}`;
    }
  }
  return null;
}

const test = suite('import law');

test('the tables are there', () => {
  assert.ok(rooms.size > 8, 'rooms');
  assert.ok(doors.size > 2, 'doors');
});

test('every import follows the tables', () => {
  const faults: string[] = [];
  for (const top of ['compiler', 'runtime']) {
    for (const path of sources(join(root, top))) {
      const file = relative(root, path);
      for (const specifier of specifiers(readFileSync(path, 'utf8'))) {
        const fault = judge(file, specifier);
        if (fault !== null) faults.push(fault);
      }
    }
  }
  assert.equal(faults, []);
});

/** A way from a room back to itself, as the table allows it; null where there is none. */
function circle(table: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (room: string, way: readonly string[]): string[] | null => {
    if (way.includes(room)) return [...way, room];
    if (done.has(room)) return null;
    for (const next of table.get(room) ?? []) {
      const found = visit(next, [...way, room]);
      if (found !== null) return found;
    }
    done.add(room);
    return null;
  };
  for (const room of table.keys()) {
    const found = visit(room, []);
    if (found !== null) return found;
  }
  return null;
}

test('rooms do not import each other in a circle', () => {
  assert.is(circle(rooms), null);
  const bad = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ]);
  assert.equal(circle(bad), ['a', 'b', 'c', 'b']);
});

test('only entry files touch `process`', () => {
  const allowed = tableAfter('Process').map(([file]) => file?.[0] ?? '');
  const faults = ['compiler', 'runtime']
    .flatMap((top) => sources(join(root, top)))
    .map((path) => relative(root, path))
    .filter((file) => !allowed.some((a) => file === a))
    .filter((file) => {
      const code = readFileSync(join(root, file), 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/\/\/.*$/gm, '');
      return /\bprocess\.\w/.test(code);
    });
  assert.equal(faults, []);
});

test('a forbidden import is seen', () => {
  assert.ok(judge('compiler/ir/x.ts', '../../runtime/kernel/index.js') !== null);
  assert.ok(judge('compiler/ir/x.ts', 'node:fs') !== null);
  assert.ok(judge('runtime/cli/x.ts', 'koffi') !== null);
  assert.is(judge('runtime/kernel/x.ts', 'koffi'), null);
});

test.run();
