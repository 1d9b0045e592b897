/**
 * Encodes the header names that a bundle's policies look at for the head parser: struct weft_names,
 * with a seed by which no two names share a bucket, so that a line costs one look-up. The names
 * that frame a message are always among them. The same names in the same order give the same bytes.
 */
import {
  HEADER_NAME_MAX,
  HEADER_SLOTS,
  NAME_BUCKETS,
  NAME_ENTRY,
  NAME_KIND,
  NAMES,
} from './head.js';

const FACTOR = 0x9e3779b97f4a7c15n;
const WORD = 0xffffffffffffffffn;
/** Lower-case tchar. `^` and `~` are left out: the parser compares bytes ORed with 0x20. */
const NAME = /^[a-z0-9!#$%&'*+\-._`|]+$/;

/** Whether a policy may look at a header of this name: lower case, a token, short enough. */
export function isHeaderName(name: string): boolean {
  return name.length <= HEADER_NAME_MAX && NAME.test(name);
}

/** A name's bytes as the parser compares them: words of eight, zeros at the end. */
function fold(name: string): Uint8Array {
  const bytes = new Uint8Array(HEADER_NAME_MAX);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i) | 0x20;
  return bytes;
}

function bucket(seed: bigint, name: string): number {
  const view = new DataView(fold(name).buffer);
  let hash = seed;
  for (let at = 0; at < name.length; at += 8)
    hash = ((hash ^ view.getBigUint64(at, true)) * FACTOR) & WORD;
  return Number(hash >> 56n);
}

/** The smallest seed by which all names have buckets of their own. */
function findSeed(names: readonly string[]): bigint {
  for (let seed = 1n; ; seed++) {
    const taken = new Set(names.map((name) => bucket(seed, name)));
    if (taken.size === names.length) return seed;
  }
}

/**
 * struct weft_names for these names, the first one in slot 0 and so on.
 * Throws RangeError on a name that isHeaderName refuses, one given twice, or more than HEADER_SLOTS.
 */
export function encodeHeaderNames(headers: readonly string[]): Uint8Array {
  for (const name of headers)
    if (!isHeaderName(name)) throw new RangeError(`no header name: ${JSON.stringify(name)}`);
  if (headers.length > HEADER_SLOTS) throw new RangeError(`more than ${HEADER_SLOTS} header names`);
  if (new Set(headers).size !== headers.length) throw new RangeError('a header name stands twice');

  const kinds: Readonly<Record<string, number>> = NAME_KIND;
  const names = [...new Set([...Object.keys(kinds), ...headers])];
  const seed = findSeed(names);
  const bytes = new Uint8Array(NAMES.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(NAMES.seed, seed, true);
  for (const [index, name] of names.entries()) {
    bytes[NAMES.buckets + (bucket(seed, name) % NAME_BUCKETS)] = index + 1;
    const at = NAMES.entries + index * NAME_ENTRY.size;
    // Zeros after the last byte are ORed too in the head, but shifted out before the comparison.
    bytes.set(fold(name).subarray(0, name.length), at + NAME_ENTRY.words);
    view.setUint32(at + NAME_ENTRY.length, name.length, true);
    view.setUint16(at + NAME_ENTRY.kind, Object.hasOwn(kinds, name) ? (kinds[name] ?? 0) : 0, true);
    view.setUint16(at + NAME_ENTRY.slot, headers.indexOf(name) + 1, true);
  }
  return bytes;
}
