/** The plain meaning of a CIDR set: some prefix of the address's own family holds the address. */
import { BugError } from '../../compiler/diagnostic/index.js';
import { parseAddress } from '../discovery/address.js';

interface Prefix {
  readonly bytes: Uint8Array;
  /** Significant bits of the 16 bytes: 96 more than written for IPv4, so families never meet. */
  readonly bits: number;
  readonly family: 4 | 6;
}

function parsePrefix(text: string): Prefix {
  const [addressText = '', lengthText] = text.split('/');
  const address = parseAddress(addressText);
  if (address === null) throw new BugError(`manifest: bad prefix ${text}`);
  const isShort = !addressText.includes(':');
  const full = isShort ? 32 : 128;
  const length = lengthText === undefined ? full : Number(lengthText);
  const bits = isShort ? 96 + length : length;
  // A short IPv4-mapped prefix (::/0 written as ::ffff:0:0/64) is a prefix of IPv6 addresses.
  return {
    bytes: address.bytes,
    bits,
    family: isShort || (address.family === 4 && bits >= 96) ? 4 : 6,
  };
}

function covers(prefix: Prefix, view: DataView, offset: number): boolean {
  for (let i = 0; i < 16 && i * 8 < prefix.bits; i += 1) {
    const rest = Math.min(8, prefix.bits - i * 8);
    const mask = (0xff << (8 - rest)) & 0xff;
    if (((view.getUint8(offset + i) ^ (prefix.bytes[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
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
  const prefixes = texts.map(parsePrefix);
  return (view, offset) => {
    const family = isV4(view, offset) ? 4 : 6;
    return prefixes.some((prefix) => prefix.family === family && covers(prefix, view, offset));
  };
}
