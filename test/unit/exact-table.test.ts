import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TableDeclaration } from '../../compiler/frontend/types.js';
import { buildPerfectHash, planExact, referenceTable } from '../../compiler/tables/index.js';
import { abiModule, ask, CONNECTION, connectionOf, expandAll, run } from '../support/abi-module.js';
import { exactIn } from '../support/perfect-hash.js';

const test = suite('exact-table');

const MAX = 0xffffffffffffffffn;
const FALLBACK = 0xfa11;

function random(seed: number): () => bigint {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & MAX;
    return state ^ (state >> 29n);
  };
}

function table(
  keys: readonly bigint[],
  value: (index: number) => number = (i) => i,
): TableDeclaration {
  const entries = keys.map((key, i) => ({
    key: { kind: 'integer' as const, value: key },
    value: value(i),
  }));
  return { name: 't', keyKind: 'integer', entries, at: null };
}

/** get and has of a table, keyed by the connection's time: the only 64-bit field there is. */
function lookups(declared: TableDeclaration): (key: bigint) => { get: number; has: number } {
  const registry = {
    tables: [declared],
    cidrs: [],
    ports: [],
    patterns: [],
    keys: [],
    rules: [],
    routes: [],
  };
  const modules = (['table_get', 'table_has'] as const).map((name) => {
    const module = abiModule((emit, func) => {
      const key = emit.loadPointer(connectionOf(func), CONNECTION.now, 8);
      const number = emit.constant('i32', 0);
      const rest = name === 'table_get' ? [emit.constant('i32', FALLBACK)] : [];
      return ask(emit, name, [number, key, ...rest]);
    });
    assert.equal(expandAll(module, registry).diagnostics, []);
    return module;
  });
  return (key) => {
    const connection = new Uint8Array(CONNECTION.size);
    new DataView(connection.buffer).setBigUint64(CONNECTION.now, key, true);
    const [get = -1, has = -1] = modules.map((module) => run(module, connection));
    return { get, has };
  };
}

function check(declared: TableDeclaration, probes: readonly bigint[]): void {
  const look = lookups(declared);
  const reference = referenceTable(declared, () => 0);
  for (const key of probes) {
    const value = reference.get(key);
    const want = { get: value ?? FALLBACK, has: value === undefined ? 0 : 1 };
    assert.equal(look(key), want, `key ${key}`);
  }
}

const EDGES = [0n, 1n, 2n, 0xffffffffn, 0x100000000n, MAX - 1n, MAX];

for (const count of [0, 1, 2, 4, 5, 1000]) {
  test(`${count} random keys: each is found, others are not`, () => {
    const next = random(count + 1);
    const keys = Array.from({ length: count }, next);
    check(table(keys), [...keys.slice(0, 200), ...EDGES, ...Array.from({ length: 50 }, next)]);
  });
}

test('the extreme keys are ordinary keys', () => {
  const next = random(99);
  const keys = [0n, MAX, ...Array.from({ length: 20 }, next)];
  check(table(keys), [...keys, ...EDGES]);
});

test('dense keys become an array, and what lies around it is absent', () => {
  const keys = Array.from({ length: 300 }, (_, i) => 1000n + 2n * BigInt(i));
  assert.is(planExact(keys.map((key) => ({ key, value: 0 }))).kind, 'dense');
  check(table(keys), [...keys.slice(0, 40), 999n, 1001n, 1598n, 1599n, 1600n, 5000n, ...EDGES]);
});

test('dense keys at the end of the range do not wrap', () => {
  const keys = Array.from({ length: 20 }, (_, i) => MAX - BigInt(i));
  check(table(keys), [...keys, MAX - 20n, ...EDGES]);
});

test('keys that differ in their high bits only', () => {
  const keys = Array.from({ length: 500 }, (_, i) => BigInt(i) << 50n);
  check(table(keys), [...keys.slice(0, 100), 1n, 1n << 49n]);
});

for (const shift of [8n, 16n, 21n]) {
  test(`keys of 32 bits that differ above bit ${shift} only`, () => {
    const keys = Array.from({ length: 500 }, (_, i) => BigInt(i * 4 + (i % 3)) << shift);
    check(table(keys), [...keys.slice(0, 100), 1n, 1n << (shift - 1n)]);
  });
}

/** Keys of few bits of all, at each place, and so many of them that buckets are full. */
for (const [width, most] of [
  [32, 31n],
  [64, 63n],
] as const) {
  test(`keys of ${width} bits that differ in a few neighbouring bits, wherever those are`, () => {
    for (let shift = 0n; shift <= most; shift++) {
      for (const count of [5, 11, 64, 300]) {
        const all = Array.from({ length: count }, (_, i) =>
          BigInt.asUintN(width, BigInt(i) << shift),
        );
        const keys = [...new Set(all)];
        const plan = buildPerfectHash(keys.map((key, value) => ({ key, value })));
        keys.forEach((key, value) => {
          assert.is(exactIn(plan, key), value);
        });
        for (const key of [...keys.map((key) => key ^ 1n), 1n << most, ...EDGES]) {
          if (!keys.includes(key)) assert.is(exactIn(plan, key), undefined);
        }
      }
    }
  });
}

test('keys in their highest bits alone are found rotated', () => {
  const keys = Array.from({ length: 64 }, (_, i) => BigInt(i) << 58n);
  assert.not.equal(buildPerfectHash(keys.map((key) => ({ key, value: 1 }))).rotation, 0);
  const narrow = [81n, ...Array.from({ length: 10 }, (_, i) => BigInt(i) << 26n)];
  check(table(keys), [...keys, 1n, 1n << 57n, 1n << 26n, ...EDGES]);
  check(table(narrow), [...narrow, 1n << 10n, 82n, 10n << 26n, 1n << 58n, ...EDGES]);
});

test('the last value of a key counts, and values keep 32 bits', () => {
  check(
    table([5n, 5n, 6n], (i) => [1, 0xffffffff, -2][i] ?? 0),
    [5n, 6n],
  );
});

test('100,000 keys build a perfect hash in linear memory', () => {
  const next = random(7);
  const entries = Array.from({ length: 100_000 }, (_, i) => ({ key: next(), value: i }));
  const plan = buildPerfectHash(entries);
  assert.ok(plan.bytes.length <= 100_000 * 40, `${plan.bytes.length} bytes`);
  const declared = table(entries.map((e) => e.key));
  const probes = [...entries.slice(0, 300).map((e) => e.key), ...Array.from({ length: 100 }, next)];
  check(declared, probes);
});

for (const [name, width, spread] of [
  ['below 2^32', 32, 0xffffffffn],
  ['of 64 bits', 64, MAX],
] as const) {
  test(`keys ${name}: none that differs in one bit is taken for another`, () => {
    const next = random(width);
    const keys = Array.from({ length: 400 }, () => next() & spread);
    const plan = planExact(
      keys.map((key, value) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
    assert.is(plan.kind === 'hash' && plan.width, width);
    const near = keys
      .slice(0, 20)
      .flatMap((key) => Array.from({ length: 64 }, (_, bit) => key ^ (1n << BigInt(bit))));
    check(table(keys), [...keys, ...near]);
  });
}

test('of 2^16 keys that fall on few slots only those that are there are found', () => {
  const next = random(16);
  const values = new Map(Array.from({ length: 900 }, (_, i) => [(next() & 0xffffn) * 97n, i]));
  const plan = planExact(
    [...values].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
  assert.is(plan.kind, 'hash');
  for (let i = 0n; i < 1n << 16n; i += 1n) {
    assert.is(exactIn(plan, i * 97n), values.get(i * 97n), `${i}`);
  }
});

test('values that do not fit beside a key are numbered, each once', () => {
  const next = random(21);
  const keys = Array.from({ length: 600 }, () => next() & 0xffffffffn);
  const declared = table(keys, (i) => 0xfffffff0 + (i % 5));
  const plan = planExact(
    keys
      .map((key, i) => ({ key, value: 0xfffffff0 + (i % 5) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
  assert.equal(plan.kind === 'hash' && plan.values?.count, 5);
  check(declared, [...keys, ...EDGES]);
});

test('100,000 keys of 32 bits take four bytes a slot, and more than fit so eight', () => {
  const entries = (count: number): { key: bigint; value: number }[] =>
    Array.from({ length: count }, (_, i) => ({
      key: BigInt((i * 2654435761) % 2 ** 32),
      value: i,
    }));
  const some = buildPerfectHash(entries(100_000));
  assert.equal([some.width, some.values], [32, null]);
  assert.ok(some.bytes.length <= 4 * 2 ** 17 + 2 ** 16, `${some.bytes.length} bytes`);
  const many = entries(300_000);
  const wide = buildPerfectHash(many);
  assert.is(wide.width, 64);
  for (const { key, value } of many.slice(0, 20_000)) {
    assert.is(exactIn(wide, key), value);
    assert.is(exactIn(some, key), value);
  }
});

test('the same entries give the same image', () => {
  const entries = Array.from({ length: 2000 }, (_, i) => ({ key: BigInt(i) * 7919n, value: i }));
  assert.equal(planExact(entries), planExact(entries));
});

test('duplicate keys are our fault', () => {
  const twice = [1n, 2n, 1n].map((key) => ({ key, value: 0 }));
  assert.throws(() => buildPerfectHash(twice), /duplicates/);
});

test.run();
