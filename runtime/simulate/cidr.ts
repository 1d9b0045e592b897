/**
 * Whether an address lies in a CIDR set: the meaning of compiler/tables/reference.ts, grouped by
 * prefix length so that a set of 100,000 prefixes costs one look-up a length, not a scan.
 */
import { BugError } from '../../compiler/diagnostic/index.js';
import { parseAddress } from '../discovery/address.js';

type Words = readonly [number, number, number, number];

/** Prefixes of one family and length: the masked address is the key. */
interface Group {
  readonly mask: Words;
  readonly keys: Set<string>;
  /** The one prefix of a group of one, which is compared without making a key. */
  only: Words | null;
}

const MAPPED_BITS = 96;

function wordMask(bits: number): number {
  return bits >= 32 ? 0xffffffff : bits <= 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
}

function keyOf(view: DataView, offset: number, mask: Words): string {
  const word = (n: 0 | 1 | 2 | 3): number => (view.getUint32(offset + 4 * n) & mask[n]) >>> 0;
  return `${word(0)} ${word(1)} ${word(2)} ${word(3)}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Family and significant bits of the 16 bytes; a mapped block shorter than /96 is an IPv6 block. */
function parsePrefix(text: string): { family: 4 | 6; bits: number; bytes: Uint8Array } {
  const [host = '', length] = text.split('/');
  const address = parseAddress(host);
  if (address === null) throw new BugError(`manifest: \`${text}\` is no address block`);
  const isDotted = !host.includes(':');
  const written = length === undefined ? (isDotted ? 32 : 128) : Number(length);
  const bits = isDotted ? MAPPED_BITS + written : written;
  return {
    family: address.family === 4 && bits >= MAPPED_BITS ? 4 : 6,
    bits,
    bytes: address.bytes,
  };
}

function wordsOf(view: DataView, offset: number): Words {
  return [0, 4, 8, 12].map((at) => view.getUint32(offset + at)) as unknown as Words;
}

function isEqual(view: DataView, offset: number, mask: Words, want: Words): boolean {
  return (
    ((view.getUint32(offset) ^ want[0]) & mask[0]) === 0 &&
    ((view.getUint32(offset + 4) ^ want[1]) & mask[1]) === 0 &&
    ((view.getUint32(offset + 8) ^ want[2]) & mask[2]) === 0 &&
    ((view.getUint32(offset + 12) ^ want[3]) & mask[3]) === 0
  );
}

function isV4(view: DataView, offset: number): boolean {
  return (
    view.getUint32(offset) === 0 &&
    view.getUint32(offset + 4) === 0 &&
    view.getUint32(offset + 8) === 0xffff
  );
}

/** Makes the test of a set for the 16 address bytes at an offset. */
export function cidrMatcher(texts: readonly string[]): (view: DataView, offset: number) => boolean {
  const families = { 4: new Map<number, Group>(), 6: new Map<number, Group>() };
  for (const { family, bits, bytes } of texts.map(parsePrefix)) {
    const words = [0, 32, 64, 96].map((start) => wordMask(bits - start));
    const mask = words as unknown as Words;
    const group = families[family].get(bits) ?? { mask, keys: new Set(), only: null };
    group.keys.add(keyOf(viewOf(bytes), 0, mask));
    group.only = group.keys.size === 1 ? wordsOf(viewOf(bytes), 0) : null;
    families[family].set(bits, group);
  }
  const groups = { 4: [...families[4].values()], 6: [...families[6].values()] };
  return (view, offset) => {
    for (const { mask, keys, only } of groups[isV4(view, offset) ? 4 : 6]) {
      if (only === null) {
        if (keys.has(keyOf(view, offset, mask))) return true;
      } else if (isEqual(view, offset, mask, only)) return true;
    }
    return false;
  };
}
