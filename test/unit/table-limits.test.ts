import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CidrDeclaration, TableDeclaration } from '../../compiler/frontend/types.js';
import { MAX_SET_PREFIXES, MAX_TABLE_ENTRIES, planTables } from '../../compiler/tables/index.js';

const test = suite('table-limits');

const at = { file: 'policy.ts', line: 12, column: 1 };
const uses = {
  tables: new Set([0]),
  cidrs: new Set([0]),
  ports: new Set<number>(),
  patterns: new Set<number>(),
  views: new Set<number>(),
  keys: new Set<number>(),
  rules: new Set<number>(),
  symbolOf: () => 0,
  maxSetBytes: 1 << 20,
};
const none = { ...uses, tables: new Set<number>(), cidrs: new Set<number>() };

function table(count: number): TableDeclaration {
  const entry = { key: { kind: 'integer', value: 1n }, value: 1 } as const;
  return { name: 'big', keyKind: 'integer', entries: new Array(count).fill(entry), at };
}

function set(prefixes: CidrDeclaration['prefixes']): CidrDeclaration {
  return { name: 'big', prefixes, at };
}

/** Pairs of hosts that differ in their last bit and share nothing with others: the dearest set. */
function hostilePairs(pairs: number): CidrDeclaration['prefixes'] {
  let state = 1;
  const byte = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  return Array.from({ length: pairs }, () => Uint8Array.from({ length: 16 }, byte)).flatMap(
    (host) =>
      [0, 1].map((bit) => ({
        family: 6 as const,
        bytes: host.map((b, i) => (i === 15 ? (b & 0xfe) | bit : b)),
        length: 128,
        text: '',
      })),
  );
}

test('a table over its limit is refused at its declaration; one at the limit is not', () => {
  const registry = {
    tables: [table(MAX_TABLE_ENTRIES + 1)],
    cidrs: [],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  };
  const [finding, ...rest] = planTables(registry, uses).diagnostics;
  assert.is(finding?.code, 'T101');
  assert.is(finding?.line, 12);
  assert.equal(rest, []);
  const fits = {
    tables: [table(MAX_TABLE_ENTRIES)],
    cidrs: [],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  };
  assert.equal(planTables(fits, uses).diagnostics, []);
});

test('a set over its limit is refused; what nobody asks is not even looked at', () => {
  const [prefix] = hostilePairs(1);
  if (prefix === undefined) return;
  const many = set(new Array(MAX_SET_PREFIXES + 1).fill(prefix));
  const registry = {
    tables: [],
    cidrs: [many],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  };
  assert.equal(
    planTables(registry, uses).diagnostics.map((d) => d.code),
    ['T102'],
  );
  assert.equal(planTables(registry, none).diagnostics, []);
});

test('a set that would take too much memory is refused; a tenth of it fits', () => {
  const [large, small] = [1_000, 100].map((pairs) => ({
    tables: [],
    cidrs: [set(hostilePairs(pairs))],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  }));
  if (large === undefined || small === undefined) return;
  assert.equal(
    planTables(large, uses).diagnostics.map((d) => d.code),
    ['T103'],
  );
  assert.equal(planTables(small, uses).diagnostics, []);
});

test.run();
