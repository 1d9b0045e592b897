/**
 * A table that is asked with a view of a request. The hash of the bytes finds an entry, whose bytes
 * are then compared, so that no collision can widen what was written.
 *
 * Image of keys, `stride` bytes an entry: u32 length, u32 value, then the key in words of eight bytes,
 * filled up with zeros to the longest key of the table.
 */
import { viewHash } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { TableDeclaration } from '../frontend/types.js';
import { type ExactPlan, planExact } from './plan-exact.js';

export interface ViewPlan {
  /** From the hash of a key to the number of its entry. */
  readonly hashes: ExactPlan;
  readonly words: number;
  readonly stride: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}
export const KEY_HEADER_BYTES = 8;

/** Plans a table of texts; null for one without entries. Keys were checked to be short. */
export function planViews(table: TableDeclaration): ViewPlan | null {
  const encoder = new TextEncoder();
  const values = new Map<string, number>();
  for (const { key, value } of table.entries) {
    if (key.kind === 'text') values.set(key.value, value >>> 0);
  }
  if (values.size === 0) return null;
  const keys = [...values]
    .map(([text, value]) => ({ text, bytes: encoder.encode(text), value }))
    .sort((a, b) => (a.text < b.text ? -1 : 1));
  const words = Math.ceil(Math.max(...keys.map(({ bytes }) => bytes.length)) / 8);
  const stride = KEY_HEADER_BYTES + 8 * words;
  const image = new Uint8Array(keys.length * stride);
  const view = new DataView(image.buffer);
  keys.forEach(({ bytes, value }, i) => {
    view.setUint32(i * stride, bytes.length, true);
    view.setUint32(i * stride + 4, value, true);
    image.set(bytes, i * stride + KEY_HEADER_BYTES);
  });
  const entries = keys
    .map(({ bytes }, value) => ({ key: viewHash(bytes), value }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (new Set(entries.map(({ key }) => key)).size !== entries.length) {
    throw new BugError(`two keys of table ${table.name} have one hash`);
  }
  return { hashes: planExact(entries), words, stride, count: keys.length, bytes: image };
}
