/**
 * What a verifier knows of a number: which bits (kernel/bpf/tnum.c) and between which bounds, unsigned.
 * Signed bounds are read off the unsigned ones, which loses ranges across zero: code that is compiled here
 * hardly has any.
 */
import type { AluKind, Width } from '../asm/index.js';

/** Where a number comes from: marking one as needed marks what it was made of, too. */
export interface Origin {
  /** When it was made; what is later on a way has a greater time. */
  readonly time: number;
  readonly from: readonly Origin[];
}
/** Bits that are known (`value`), bits that are not (`mask`), and bounds. */
export interface Range {
  readonly value: bigint;
  readonly mask: bigint;
  readonly min: bigint;
  readonly max: bigint;
}

const ALL64 = (1n << 64n) - 1n;
const ALL32 = (1n << 32n) - 1n;

/** Anything of 64 bits; there is no other object for that. */
export const ANY: Range = { value: 0n, mask: ALL64, min: 0n, max: ALL64 };
/** Anything of 32 bits; there is no other object for that. */
const ANY32: Range = { value: 0n, mask: ALL32, min: 0n, max: ALL32 };

/** Anything of so many bits. */
export function anyOf(bits: number): Range {
  if (bits === 64) return ANY;
  if (bits === 32) return ANY32;
  const all = (1n << BigInt(bits)) - 1n;
  return { value: 0n, mask: all, min: 0n, max: all };
}

/** One number. */
export function exactly(number: bigint): Range {
  const value = BigInt.asUintN(64, number);
  return { value, mask: 0n, min: value, max: value };
}

/** True where just one number is possible. */
export function isExact({ mask }: Range): boolean {
  return mask === 0n;
}

/** Math.min of big numbers. */
export function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
/** Math.max of big numbers. */
export function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function bitLength(number: bigint): bigint {
  const high = Number(number >> 32n);
  if (high > 0) return BigInt(64 - Math.clz32(high));
  return BigInt(32 - Math.clz32(Number(number)));
}

/** Lets bits and bounds tell each other; null where nothing is left. */
export function agree(range: Range): Range | null {
  const settled = settle(range);
  return settled.min > settled.max ? null : settled;
}

/** As above; where nothing is left, bounds contradict each other as a verifier's would (reg_bounds_sync). */
export function settle(range: Range): Range {
  const { value, mask, min, max } = range;
  if (mask === 0n && min === value && max === value) return range;
  if (min === 0n && max === ALL64 && mask === ALL64) return ANY;
  if (min === 0n && max === ALL32 && mask === ALL32) return ANY32;
  let [low, high] = [greater(min, value), lesser(max, value | mask)];
  // What the bounds have in common above their first different bit is known.
  const unlike = low ^ high;
  const open = (1n << bitLength(unlike)) - 1n;
  const known = value | (low & ~open & ALL64);
  const unknown = mask & open;
  const bits = known & ~unknown & ALL64;
  if (bits > low) low = bits;
  if ((bits | unknown) < high) high = bits | unknown;
  return { value: bits, mask: unknown, min: low, max: high };
}

/** The low half. */
export function lowHalf(range: Range): Range {
  const { value, mask, max } = range;
  if (max <= ALL32) return range;
  return agree({ ...ANY32, value: value & ALL32, mask: mask & ALL32 }) ?? ANY32;
}

/** Every number of `inner` is one of `outer`, as far as bits and bounds say. */
export function isWithin(inner: Range, outer: Range): boolean {
  if (inner === outer || outer === ANY) return true;
  if (inner.min < outer.min || inner.max > outer.max) return false;
  if ((inner.mask & ~outer.mask) !== 0n) return false;
  return (inner.value & ~outer.mask) === outer.value;
}

type Make = (a: Range, b: Range, width: Width) => Range;

const OPERATIONS: Readonly<Record<Exclude<AluKind, 'mov'>, Make>> = {
  add: (a, b) => {
    const [min, max] = [a.min + b.min, a.max + b.max];
    const sum = a.value + b.value;
    const changed = (a.mask + b.mask + sum) ^ sum;
    const mask = (changed | a.mask | b.mask) & ALL64;
    const bits = { value: sum & ~mask & ALL64, mask };
    return max > ALL64 ? { ...ANY, ...bits } : { ...bits, min, max };
  },
  sub: (a, b) => {
    const difference = BigInt.asUintN(64, a.value - b.value);
    const changed = BigInt.asUintN(64, (difference + a.mask) ^ (difference - b.mask));
    const mask = changed | a.mask | b.mask;
    const bits = { value: difference & ~mask & ALL64, mask };
    return a.min < b.max
      ? { ...ANY, ...bits }
      : { ...bits, min: a.min - b.max, max: a.max - b.min };
  },
  and: (a, b) => {
    const value = a.value & b.value;
    const mask = (a.value | a.mask) & (b.value | b.mask) & ~value;
    return { value, mask, min: value, max: lesser(a.max, b.max) };
  },
  or: (a, b) => {
    const value = a.value | b.value;
    const mask = (a.mask | b.mask) & ~value;
    return { value, mask, min: greater(a.min, b.min), max: value | mask };
  },
  xor: (a, b) => {
    const mask = a.mask | b.mask;
    const value = (a.value ^ b.value) & ~mask;
    return { value, mask, min: value, max: value | mask };
  },
  mul: (a, b) => {
    if (isExact(a) && isExact(b)) return exactly(a.value * b.value);
    if (a.max > ALL32 || b.max > ALL32) return ANY;
    return { ...ANY, min: a.min * b.min, max: a.max * b.max };
  },
  div: () => ANY,
  mod: () => ANY,
  lsh: (a, b, width) => {
    if (!isExact(b)) return ANY;
    const by = b.value % BigInt(width);
    const bits = { value: (a.value << by) & ALL64, mask: (a.mask << by) & ALL64 };
    const fits = a.max << by <= ALL64;
    return fits ? { ...bits, min: a.min << by, max: a.max << by } : { ...ANY, ...bits };
  },
  rsh: (a, b, width) => {
    if (!isExact(b)) return ANY;
    const by = b.value % BigInt(width);
    return { value: a.value >> by, mask: a.mask >> by, min: a.min >> by, max: a.max >> by };
  },
  arsh: (a, b, width) => {
    if (!isExact(b)) return ANY;
    const by = b.value % BigInt(width);
    if (isExact(a)) return exactly(BigInt.asIntN(width, a.value) >> by);
    if (a.max >> BigInt(width - 1) > 0n) return ANY;
    return { value: a.value >> by, mask: a.mask >> by, min: a.min >> by, max: a.max >> by };
  },
};

/** Operations of which one number comes where both operands are one, whatever they are. */
const OF_NUMBERS: Readonly<Partial<Record<AluKind, (a: bigint, b: bigint) => bigint>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  mul: (a, b) => a * b,
};

/** Operations that make anything of anything and whatever else: what laundering adds makes such a number. */
const SPREADS: ReadonlySet<AluKind> = new Set<AluKind>(['add', 'sub', 'xor']);

/** What an operation makes of two numbers. */
export function compute(kind: AluKind, width: Width, left: Range, right: Range): Range {
  if (kind === 'mov') return width === 32 ? lowHalf(right) : right;
  const ofNumbers = isExact(left) && isExact(right) ? OF_NUMBERS[kind] : undefined;
  if (ofNumbers !== undefined) {
    const result = ofNumbers(left.value, right.value);
    return exactly(width === 32 ? result & ALL32 : result);
  }
  const [any, a, b] = width === 32 ? [ANY32, lowHalf(left), lowHalf(right)] : [ANY, left, right];
  if ((a === any || b === any) && SPREADS.has(kind)) return any;
  const made = OPERATIONS[kind](a, b, width);
  return width === 64 ? settle(made) : lowHalf(settle(made));
}
