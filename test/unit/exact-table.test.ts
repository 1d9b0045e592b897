import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TableDeclaration } from '../../compiler/frontend/types.js';
import { buildPerfectHash, planExact, referenceTable } from '../../compiler/tables/index.js';
import { abiModule, ask, CONNECTION, connectionOf, expandAll, run } from '../support/abi-module.js';

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

test('the same entries give the same image', () => {
  const entries = Array.from({ length: 2000 }, (_, i) => ({ key: BigInt(i) * 7919n, value: i }));
  assert.equal(planExact(entries), planExact(entries));
});

test('duplicate keys are our fault', () => {
  const twice = [1n, 2n, 1n].map((key) => ({ key, value: 0 }));
  assert.throws(() => buildPerfectHash(twice), /duplicates/);
});

test.run();
