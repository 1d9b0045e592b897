import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAP_FLAG, MAP_TYPE, openKernel } from '../../runtime/kernel/index.js';

const kernel = openKernel();
// `0-3` or `0`: per-CPU values have a slot for each possible CPU, also for those that are off.
const cpus =
  1 + Number(readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim().split('-').at(-1));
const test = suite('kernel door: maps');
const u32 = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
const u64 = (value: number): Uint8Array =>
  new Uint8Array(new BigUint64Array([BigInt(value)]).buffer);
const codeOf = (step: () => unknown): string => {
  try {
    step();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
};

test('a hash map keeps, finds, lists and deletes', () => {
  using map = kernel.createMap({
    name: 'door_hash',
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
  });
  assert.is(map.lookup(u32(1)), null);
  map.update(u32(1), u64(10));
  map.update(u32(2), u64(20), 'new');
  assert.equal(map.lookup(u32(1)), u64(10));
  assert.equal(
    map
      .keys()
      .map((key) => key[0])
      .sort(),
    [1, 2],
  );
  assert.is(map.delete(u32(1)), true);
  assert.is(map.delete(u32(1)), false);
  assert.equal(map.info().maxEntries, 4);
  assert.is(map.info().name, 'door_hash');
});

test('update modes and a full map are refused by code', () => {
  using map = kernel.createMap({
    name: 'door_modes',
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
  });
  assert.is(
    codeOf(() => map.update(u32(1), u64(1), 'existing')),
    'KERNEL_ENOENT',
  );
  map.update(u32(1), u64(1));
  assert.is(
    codeOf(() => map.update(u32(1), u64(1), 'new')),
    'KERNEL_EEXIST',
  );
  assert.is(
    codeOf(() => map.update(u32(2), u64(1))),
    'KERNEL_E2BIG',
  );
  assert.is(
    codeOf(() => map.update(new Uint8Array(3), u64(1))),
    'BUG',
  );
});

test('a closed map is refused, and closing twice is harmless', () => {
  const map = kernel.createMap({
    name: 'door_closed',
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
  });
  map[Symbol.dispose]();
  map[Symbol.dispose]();
  assert.is(
    codeOf(() => map.lookup(u32(0))),
    'KERNEL_CLOSED',
  );
});

test('a per-CPU array holds one padded value a possible CPU', () => {
  using map = kernel.createMap({
    name: 'door_percpu',
    type: MAP_TYPE.percpuArray,
    keySize: 4,
    valueSize: 4,
    maxEntries: 2,
  });
  const found = map.lookup(u32(0));
  assert.ok(found && found.length % 8 === 0 && found.length === 8 * cpus);
  const value = Uint8Array.from(found ?? [], (_, at) => (at % 8 === 0 ? 1 + at / 8 : 0));
  map.update(u32(1), value);
  assert.equal(map.lookup(u32(1)), value);
});

for (const [kind, type] of [
  ['hash', MAP_TYPE.hash],
  ['lruHash', MAP_TYPE.lruHash],
  ['array', MAP_TYPE.array],
] as const)
  test(`a batch fills a map of kind ${kind}`, () => {
    using map = kernel.createMap({
      name: 'door_batch',
      type,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1024,
    });
    map.updateBatch(Array.from({ length: 256 }, (_, at) => [u32(at), u64(at * 3)] as const));
    assert.equal(map.lookup(u32(255)), u64(765));
    assert.equal(map.lookup(u32(0)), u64(0));
  });

test('a batch fills a per-CPU hash, and its sum is what was put', () => {
  using map = kernel.createMap({
    name: 'door_pbatch',
    type: MAP_TYPE.percpuHash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 16,
  });
  map.update(u32(0), new Uint8Array(8 * cpus));
  const value = new Uint8Array(8 * cpus);
  value[0] = 5;
  map.updateBatch([
    [u32(1), value],
    [u32(2), value],
  ]);
  assert.equal(map.lookup(u32(2)), value);
  assert.is(map.keys().length, 3);
});

for (const [kind, type, width] of [
  ['array', MAP_TYPE.array, 8],
  ['percpuArray', MAP_TYPE.percpuArray, 8 * cpus],
] as const)
  test(`all values of a map of kind ${kind} are read by index`, () => {
    const [name, keySize, valueSize, maxEntries] = ['door_values', 4, 8, 5];
    using map = kernel.createMap({ name, type, keySize, valueSize, maxEntries });
    const value = new Uint8Array(width).fill(7);
    map.update(u32(3), value);
    const none = new Uint8Array(width);
    assert.equal(map.values(), [none, none, none, value, none]);
    assert.equal(map.values()[3], map.lookup(u32(3)));
  });

test('a batch beyond the size of a map is refused by code', () => {
  using map = kernel.createMap({
    name: 'door_over',
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
  });
  assert.is(
    codeOf(() =>
      map.updateBatch(Array.from({ length: 5 }, (_, at) => [u32(at), u64(at)] as const)),
    ),
    'KERNEL_E2BIG',
  );
  map.updateBatch([]);
});

test('an LPM trie takes single and batched updates', () => {
  using map = kernel.createMap({
    name: 'door_lpm',
    type: MAP_TYPE.lpmTrie,
    keySize: 8,
    valueSize: 8,
    maxEntries: 4,
    flags: MAP_FLAG.noPrealloc,
  });
  const prefix = (bits: number, first: number): Uint8Array =>
    Uint8Array.of(bits, 0, 0, 0, first, 0, 0, 0);
  map.updateBatch([
    [prefix(8, 10), u64(1)],
    [prefix(16, 10), u64(2)],
  ]);
  assert.equal(map.lookup(prefix(32, 10)), u64(2));
  assert.is(map.lookup(prefix(32, 11)), null);
});

test('a frozen map refuses updates from user space and still answers', () => {
  using map = kernel.createMap({
    name: 'door_frozen',
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
  });
  map.update(u32(0), u64(7));
  map.freeze();
  assert.is(
    codeOf(() => map.update(u32(0), u64(8))),
    'KERNEL_EPERM',
  );
  assert.equal(map.lookup(u32(0)), u64(7));
});

test.run();
