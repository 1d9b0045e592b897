/** Blocks of addresses as numbers. */
import { parseAddress } from '../discovery/index.js';
import { IPV4 } from './field.js';
import type { Interval } from './intervals.js';

/** Blocks of addresses as stretches of 128 bits; a block of IPv6 addresses has no IPv4 ones in it. */
export function blockIntervals(texts: readonly string[]): readonly Interval[] {
  return texts.flatMap((text): Interval[] => {
    const [host = '', length] = text.split('/');
    const address = parseAddress(host);
    if (address === null) return [];
    const isDotted = !host.includes(':');
    const written = length === undefined ? (isDotted ? 32 : 128) : Number(length);
    const free = BigInt(128 - (isDotted ? 96 + written : written));
    const first =
      (address.bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) >> free) << free;
    const last = first | ((1n << free) - 1n);
    const holdsIPv4 = first < IPV4[0] && last > IPV4[1];
    return holdsIPv4
      ? [
          [first, IPV4[0] - 1n],
          [IPV4[1] + 1n, last],
        ]
      : [[first, last]];
  });
}
