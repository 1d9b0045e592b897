/** What a verifier makes of a test: whether it is decided, and what it tells of what was compared. */
import type { JumpKind, Width } from '../asm/index.js';
import { agree, greater, isExact, lesser, lowHalf, type Range } from './scalar.js';

const ALL32 = (1n << 32n) - 1n;

/** Bounds as signed numbers. */
export function signed({ min, max }: Range, width: Width): readonly [bigint, bigint] {
  const sign = 1n << BigInt(width - 1);
  if (max < sign || min >= sign) return [BigInt.asIntN(width, min), BigInt.asIntN(width, max)];
  return [-sign, sign - 1n];
}

function isGreater(a: readonly [bigint, bigint], b: readonly [bigint, bigint]): boolean | null {
  if (a[0] > b[1]) return true;
  return a[1] <= b[0] ? false : null;
}

function not(decided: boolean | null): boolean | null {
  return decided === null ? null : !decided;
}

function isEqual(a: Range, b: Range): boolean | null {
  if (isExact(a) && isExact(b)) return a.value === b.value;
  if (a.min > b.max || a.max < b.min) return false;
  const known = ~a.mask & ~b.mask;
  return (a.value & known) === (b.value & known) ? null : false;
}

/** Whether a test holds, where that is known (kernel/bpf/verifier.c, is_branch_taken). */
export function decide(kind: JumpKind, width: Width, left: Range, right: Range): boolean | null {
  const [a, b] = width === 32 ? [lowHalf(left), lowHalf(right)] : [left, right];
  const plain = (of: Range): readonly [bigint, bigint] => [of.min, of.max];
  const sign = (of: Range): readonly [bigint, bigint] => signed(of, width);
  switch (kind) {
    case 'eq':
      return isEqual(a, b);
    case 'ne':
      return not(isEqual(a, b));
    case 'gt':
      return isGreater(plain(a), plain(b));
    case 'le':
      return not(isGreater(plain(a), plain(b)));
    case 'lt':
      return isGreater(plain(b), plain(a));
    case 'ge':
      return not(isGreater(plain(b), plain(a)));
    case 'sgt':
      return isGreater(sign(a), sign(b));
    case 'sle':
      return not(isGreater(sign(a), sign(b)));
    case 'slt':
      return isGreater(sign(b), sign(a));
    case 'sge':
      return not(isGreater(sign(b), sign(a)));
    default:
      if (!isExact(b)) return null;
      if ((a.value & b.value) !== 0n) return true;
      return ((a.value | a.mask) & b.value) === 0n ? false : null;
  }
}

const OPPOSITE: Readonly<Partial<Record<JumpKind, JumpKind>>> = {
  ne: 'eq',
  le: 'gt',
  ge: 'lt',
  sle: 'sgt',
  sge: 'slt',
};

/** Both numbers of a test. */
export type Pair = readonly [Range, Range];

/** What is left of two compared numbers on one side of a test; the same where it tells nothing. */
export function narrow(kind: JumpKind, width: Width, holds: boolean, [left, right]: Pair): Pair {
  // Of half a number nothing is learnt but where it is the whole.
  if (width === 32 && (left.max > ALL32 || right.max > ALL32)) return [left, right];
  const opposite = OPPOSITE[kind];
  if (opposite !== undefined) return narrow(opposite, width, !holds, [left, right]);
  switch (kind) {
    case 'eq':
      return holds ? same(left, right) : [without(left, right), without(right, left)];
    case 'gt':
      return above([left, right], holds);
    case 'lt':
      return turned(above([right, left], holds));
    case 'sgt':
      return isPlain(left, right, width) ? above([left, right], holds) : [left, right];
    case 'slt':
      return isPlain(left, right, width) ? turned(above([right, left], holds)) : [left, right];
    default:
      return [bits(left, right, holds), right];
  }
}

/** Signed and unsigned order are one where both have the same sign. */
function isPlain(a: Range, b: Range, width: Width): boolean {
  const sign = 1n << BigInt(width - 1);
  return (a.max < sign && b.max < sign) || (a.min >= sign && b.min >= sign);
}

function turned([a, b]: Pair): Pair {
  return [b, a];
}

function same(a: Range, b: Range): Pair {
  const left = agree(combine(a, b)) ?? a;
  return [left, left];
}

/** What is known of either of two numbers that are one, not settled yet. */
export function combine(a: Range, b: Range): Range {
  const mask = a.mask & b.mask;
  const value = (a.value | b.value) & ~mask;
  return { value, mask, min: greater(a.min, b.min), max: lesser(a.max, b.max) };
}

function without(a: Range, { value, mask }: Range): Range {
  if (mask !== 0n || isExact(a)) return a;
  if (a.min === value) return agree({ ...a, min: value + 1n }) ?? a;
  return a.max === value ? (agree({ ...a, max: value - 1n }) ?? a) : a;
}

/** `a > b`, or not. */
function above([a, b]: Pair, holds: boolean): Pair {
  const [low, high] = holds ? [b.min + 1n, a.max - 1n] : [a.min, b.max];
  if (holds)
    return [
      agree({ ...a, min: greater(a.min, low) }) ?? a,
      agree({ ...b, max: lesser(b.max, high) }) ?? b,
    ];
  return [
    agree({ ...a, max: lesser(a.max, high) }) ?? a,
    agree({ ...b, min: greater(b.min, low) }) ?? b,
  ];
}

/** `a & b`, or not. */
function bits(a: Range, b: Range, holds: boolean): Range {
  if (!isExact(b)) return a;
  if (!holds) return agree({ ...a, mask: a.mask & ~b.value }) ?? a;
  const isOne = (b.value & (b.value - 1n)) === 0n;
  return isOne ? (agree({ ...a, value: a.value | b.value, mask: a.mask & ~b.value }) ?? a) : a;
}
