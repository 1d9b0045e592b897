import { availableParallelism } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAP_TYPE, openKernel } from '../../runtime/kernel/index.js';

const kernel = openKernel();
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
  assert.ok(found && found.length % 8 === 0 && found.length >= 8 * availableParallelism());
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
