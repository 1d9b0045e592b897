/**
 * Chooses how a port set is looked up: a few ranges are compared, more become one bit a port. Ranges
 * that touch or overlap are joined first, so that neither the order nor the number of what was written
 * costs anything.
 */
import type { PortRange, PortsDeclaration } from '../frontend/types.js';
import { CHAIN_RANGES } from './limits.js';

/** Compared one by one. */
export interface RangeChain {
  readonly kind: 'chain';
  readonly ranges: readonly PortRange[];
}
/** Bit `port & 63` of the little-endian u64 number `port >> 6`. */
export interface PortBits {
  readonly kind: 'bits';
  readonly bytes: Uint8Array;
}
export type PortsPlan = RangeChain | PortBits;

export const PORTS = 65536;

/** Plans a set of ranges. */
export function planPorts({ ranges }: Pick<PortsDeclaration, 'ranges'>): PortsPlan {
  const joined = join(ranges);
  if (joined.length <= CHAIN_RANGES) return { kind: 'chain', ranges: joined };
  const bytes = new Uint8Array(PORTS / 8);
  for (const { first, last } of joined) {
    for (let port = first; port <= last; port++) {
      bytes[port >> 3] = (bytes[port >> 3] ?? 0) | (1 << (port & 7));
    }
  }
  return { kind: 'bits', bytes };
}

/** Sorted, without ranges that touch. */
function join(ranges: readonly PortRange[]): PortRange[] {
  const joined: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before === undefined || range.first > before.last + 1) joined.push(range);
    else if (range.last > before.last) joined.splice(-1, 1, { ...before, last: range.last });
  }
  return joined;
}
