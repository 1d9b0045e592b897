/**
 * A map handle. Sizes are read once, when the handle is made, and every key and value is checked
 * against them before the call: libbpf takes bare pointers, so a short buffer would be read past
 * its end.
 */
import { constants } from 'node:os';
import { BugError } from '../../compiler/diagnostic/index.js';
import { MAP_TYPE, PER_CPU_MAP_TYPES, UPDATE_FLAG } from './constants.js';
import type { Descriptor } from './handle.js';
import { mapInfo } from './info.js';
import { callError, isUnsupported } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { KernelMap } from './types.js';

const { ENOENT } = constants.errno;
const ARRAYS: ReadonlySet<number> = new Set([MAP_TYPE.array, MAP_TYPE.percpuArray]);
// BPF_MAP_UPDATE_BATCH calls of this many entries: big enough to amortise, small enough to allocate.
const BATCH_ENTRIES = 65536;

/** Wraps a map's descriptor; the handle takes over its closing. */
export function kernelMap(native: Native, handle: Descriptor, givenName?: string): KernelMap {
  const first = mapInfo(native, handle.fd);
  const name = givenName ?? first.name;
  const { keySize } = first;
  const valueSize = PER_CPU_MAP_TYPES.has(first.type)
    ? Math.ceil(first.valueSize / 8) * 8 * native.possible_cpus()
    : first.valueSize;
  // Reused, because fresh memory of a fixed address costs as much as the call.
  const found = stable(valueSize).subarray(0, valueSize);
  const nextKey = stable(keySize).subarray(0, keySize);
  const what = (verb: string): string => `cannot ${verb} map \`${name}\``;
  const sized = (bytes: Uint8Array, size: number, part: string): Uint8Array => {
    if (bytes.length === size) return bytes;
    throw new BugError(`map \`${name}\`: ${part} has ${bytes.length} bytes, not ${size}`);
  };

  const update = (key: Uint8Array, value: Uint8Array, flags: bigint): void => {
    const result = native.update(
      handle.fd,
      sized(key, keySize, 'key'),
      sized(value, valueSize, 'value'),
      flags,
    );
    if (result < 0) throw callError('bpf_map_update_elem', -result, what('update'));
  };

  const updateChunk = (chunk: readonly (readonly [Uint8Array, Uint8Array])[]): void => {
    const keys = stable(chunk.length * keySize);
    const values = stable(chunk.length * valueSize);
    chunk.forEach(([key, value], index) => {
      keys.set(sized(key, keySize, 'key'), index * keySize);
      values.set(sized(value, valueSize, 'value'), index * valueSize);
    });
    const count = new Uint32Array(new ArrayBuffer(4));
    count[0] = chunk.length;
    const result = native.update_batch(handle.fd, keys, values, new Uint8Array(count.buffer), null);
    if (result >= 0) return;
    if (!isUnsupported(-result)) throw callError('bpf_map_update_batch', -result, what('fill'));
    for (const [key, value] of chunk) update(key, value, UPDATE_FLAG.any);
  };

  return {
    name,
    get fd(): number {
      return handle.fd;
    },
    info: () => mapInfo(native, handle.fd),
    lookup: (key) => {
      const result = native.lookup(handle.fd, sized(key, keySize, 'key'), found);
      if (result >= 0) return found.slice();
      if (result === -ENOENT) return null;
      throw callError('bpf_map_lookup_elem', -result, what('read'));
    },
    update: (key, value, mode = 'any') => update(key, value, UPDATE_FLAG[mode]),
    delete: (key) => {
      const result = native.remove(handle.fd, sized(key, keySize, 'key'));
      if (result >= 0) return true;
      if (result === -ENOENT) return false;
      throw callError('bpf_map_delete_elem', -result, what('delete from'));
    },
    keys: () => {
      const keys: Uint8Array[] = [];
      // INVARIANT: ends even where a writer makes the kernel start over from the first key.
      for (let previous: Uint8Array | null = null; keys.length < first.maxEntries; ) {
        const result: number = native.next_key(handle.fd, previous, nextKey);
        if (result === -ENOENT) break;
        if (result < 0) throw callError('bpf_map_get_next_key', -result, what('walk'));
        previous = nextKey.slice();
        keys.push(previous);
      }
      return keys;
    },
    values: () => {
      if (!ARRAYS.has(first.type)) throw new BugError(`map \`${name}\` is no array`);
      const count = new Uint32Array([first.maxEntries]);
      const keys = stable(first.maxEntries * keySize);
      const values = stable(first.maxEntries * valueSize);
      const counted = new Uint8Array(count.buffer);
      const result = native.lookup_batch(handle.fd, null, nextKey, keys, values, counted, null);
      // ENOENT: behind the last one.
      if (result < 0 && result !== -ENOENT)
        throw callError('bpf_map_lookup_batch', -result, what('read'));
      return Array.from({ length: count[0] ?? 0 }, (_, index) =>
        values.subarray(index * valueSize, (index + 1) * valueSize),
      );
    },
    updateBatch: (entries) => {
      for (let from = 0; from < entries.length; from += BATCH_ENTRIES)
        updateChunk(entries.slice(from, from + BATCH_ENTRIES));
    },
    freeze: () => {
      const result = native.freeze(handle.fd);
      if (result < 0) throw callError('bpf_map_freeze', -result, what('freeze'));
    },
    pin: (path) => {
      const result = native.pin(handle.fd, path);
      if (result < 0) throw callError('bpf_obj_pin', -result, `${what('pin')} at \`${path}\``);
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}
