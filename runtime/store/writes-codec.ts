/**
 * The changes of one commit as bytes: count u32, then for each
 *
 *     flags u8 | length of the key u16 | length of the value u32 | key | value
 *
 * A snapshot is written in the same form, its keys in parts.
 */
import { BugError } from '../../compiler/diagnostic/index.js';

export interface StoredWrite {
  readonly key: string;
  readonly value: Uint8Array | null;
  /** Held by a lease of the process that wrote it: it goes when the store is opened again. */
  readonly leased: boolean;
}

const DELETED = 1;
const LEASED = 2;
const COUNT_BYTES = 4;
const HEAD_BYTES = 7;

/** The bytes of these changes. */
export function encodeWrites(writes: readonly StoredWrite[]): Uint8Array {
  const size = writes.reduce(
    (sum, { key, value }) => sum + HEAD_BYTES + key.length + (value?.length ?? 0),
    COUNT_BYTES,
  );
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, writes.length, true);
  let at = COUNT_BYTES;
  for (const { key, value, leased } of writes) {
    view.setUint8(at, (value === null ? DELETED : 0) | (leased ? LEASED : 0));
    view.setUint16(at + 1, key.length, true);
    view.setUint32(at + 3, value?.length ?? 0, true);
    at += HEAD_BYTES;
    // Keys are ASCII (check-commit.ts): one byte a character.
    new TextEncoder().encodeInto(key, bytes.subarray(at));
    at += key.length;
    if (value !== null) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return bytes;
}

/** The changes that `encodeWrites` wrote. Throws BugError for other bytes: a checksum vouches for them. */
export function decodeWrites(bytes: Uint8Array): StoredWrite[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const writes: StoredWrite[] = [];
    let at = COUNT_BYTES;
    for (let left = view.getUint32(0, true); left > 0; left -= 1) {
      const flags = view.getUint8(at);
      const keyLength = view.getUint16(at + 1, true);
      const valueLength = view.getUint32(at + 3, true);
      const value = at + HEAD_BYTES + keyLength;
      if (value + valueLength > bytes.length) throw new RangeError('past the end');
      writes.push({
        key: new TextDecoder().decode(bytes.subarray(at + HEAD_BYTES, value)),
        value:
          (flags & DELETED) !== 0
            ? null
            : new Uint8Array(bytes.subarray(value, value + valueLength)),
        leased: (flags & LEASED) !== 0,
      });
      at = value + valueLength;
    }
    return writes;
  } catch (cause) {
    throw new BugError('a record of the store with a good checksum cannot be read', { cause });
  }
}
