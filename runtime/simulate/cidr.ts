/**
 * Whether an address lies in a CIDR set: the meaning of compiler/tables/reference.ts, grouped by
 * prefix length so that a set of 100,000 prefixes costs one look-up a length, not a scan.
 */
import { BugError } from '../../compiler/diagnostic/index.js';
import { isV4Mapped, parseAddress } from '../discovery/address.js';

type Words = readonly [number, number, number, number];

/** Prefixes of one family and length: the masked address is the key. */
interface Group {
  readonly mask: Words;
  readonly keys: Set<string>;
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

/** Makes the test of a set for the 16 address bytes at an offset. */
export function cidrMatcher(texts: readonly string[]): (view: DataView, offset: number) => boolean {
  const families = { 4: new Map<number, Group>(), 6: new Map<number, Group>() };
  for (const { family, bits, bytes } of texts.map(parsePrefix)) {
    const mask: Words = [
      wordMask(bits),
      wordMask(bits - 32),
      wordMask(bits - 64),
      wordMask(bits - 96),
    ];
    const group = families[family].get(bits) ?? { mask, keys: new Set() };
    group.keys.add(keyOf(viewOf(bytes), 0, mask));
    families[family].set(bits, group);
  }
  const groups = { 4: [...families[4].values()], 6: [...families[6].values()] };
  return (view, offset) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, 16);
    return groups[isV4Mapped(bytes) ? 4 : 6].some(({ mask, keys }) =>
      keys.has(keyOf(view, offset, mask)),
    );
  };
}
