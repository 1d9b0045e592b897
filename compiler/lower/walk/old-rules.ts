/**
 * What verifiers of kernels before 6.9 make of tests and of arithmetic, where it is less than newer ones make of it. As in
 * 6.1: is_branch_taken, reg_set_min_max, reg_combine_min_max and adjust_scalar_min_max_vals of kernel/bpf/verifier.c.
 * A way that cannot be is gone on with where a test does not show it: bounds may contradict each other.
 */
import type { AluKind, JumpKind, Width } from '../asm/index.js';
import { combine, type Pair, signed } from './branch.js';
import {
  ANY,
  compute,
  exactly,
  greater,
  isExact,
  lesser,
  lowHalf,
  type Range,
  settle,
} from './scalar.js';

const ALL64 = (1n << 64n) - 1n;
const ALL32 = (1n << 32n) - 1n;

/** Tests with their operands the other way round; `set` has none. */
const TURNED: Readonly<Partial<Record<JumpKind, JumpKind>>> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'lt',
  lt: 'gt',
  ge: 'le',
  le: 'ge',
  sgt: 'slt',
  slt: 'sgt',
  sge: 'sle',
  sle: 'sge',
};

/** Whether a test holds, where that is known: only of a number on the right, and equality only of two. */
export function decideOld(kind: JumpKind, width: Width, left: Range, right: Range): boolean | null {
  const [a, b] = width === 32 ? [lowHalf(left), lowHalf(right)] : [left, right];
  if (!isExact(b)) return null;
  const [min, max] = kind.startsWith('s') ? signed(a, width) : [a.min, a.max];
  const [to] = kind.startsWith('s') ? signed(b, width) : [b.value];
  switch (kind) {
    case 'eq':
      return isExact(a) ? a.value === b.value : null;
    case 'ne':
      return isExact(a) ? a.value !== b.value : null;
    case 'gt':
    case 'sgt':
      return min > to ? true : max <= to ? false : null;
    case 'ge':
    case 'sge':
      return min >= to ? true : max < to ? false : null;
    case 'lt':
    case 'slt':
      return max < to ? true : min >= to ? false : null;
    case 'le':
    case 'sle':
      return max <= to ? true : min > to ? false : null;
    default:
      if ((a.value & b.value) !== 0n) return true;
      return ((a.value | a.mask) & b.value) === 0n ? false : null;
  }
}

/** What is left of two compared numbers on one side of a test: of one of them, where the other is one number. */
export function narrowOld(kind: JumpKind, width: Width, holds: boolean, [left, right]: Pair): Pair {
  const isKnown = (range: Range): boolean => isExact(width === 32 ? lowHalf(range) : range);
  if (isKnown(right)) return [against(kind, width, holds, left, right), right];
  const turned = TURNED[kind];
  if (isKnown(left) && turned !== undefined)
    return [left, against(turned, width, holds, right, left)];
  const isSame = (kind === 'eq' && holds) || (kind === 'ne' && !holds);
  if (!isSame || width === 32) return [left, right];
  const both = settle(combine(left, right));
  return [both, both];
}

/** A number behind a test against one that is known. */
function against(kind: JumpKind, width: Width, holds: boolean, of: Range, known: Range): Range {
  // Of half a number little is learnt but where it is the whole.
  if (width === 32 && of.max > ALL32) return of;
  const to = width === 32 ? lowHalf(known).value : known.value;
  const [raised, lowered] = [BigInt.asUintN(64, to + 1n), BigInt.asUintN(64, to - 1n)];
  switch (kind) {
    case 'eq':
      return holds ? exactly(to) : of;
    case 'ne':
      return holds ? of : exactly(to);
    case 'gt':
      return holds ? atLeast(of, raised) : atMost(of, to);
    case 'ge':
      return holds ? atLeast(of, to) : atMost(of, lowered);
    case 'lt':
      return holds ? atMost(of, lowered) : atLeast(of, to);
    case 'le':
      return holds ? atMost(of, to) : atLeast(of, raised);
    case 'set':
      return bits(of, to, holds);
    default:
      return againstSigned(kind, width, holds, of, BigInt.asIntN(width, to));
  }
}

function atLeast(of: Range, min: bigint): Range {
  return settle({ ...of, min: greater(of.min, min) });
}

function atMost(of: Range, max: bigint): Range {
  return settle({ ...of, max: lesser(of.max, max) });
}

/** Signed bounds are noted where they have one sign: they are unsigned ones then. */
function againstSigned(kind: JumpKind, width: Width, holds: boolean, of: Range, to: bigint): Range {
  const isRaised = (kind === 'sgt' || kind === 'sge') === holds;
  const isWithout = (kind === 'sgt' || kind === 'slt') === holds;
  const [low, high] = signed(of, width);
  const by = isWithout ? 1n : 0n;
  const [min, max] = isRaised ? [greater(low, to + by), high] : [low, lesser(high, to - by)];
  if (min < 0n && max >= 0n) return of;
  const unsigned = (bound: bigint): bigint => BigInt.asUintN(width, bound);
  return settle({
    ...of,
    min: greater(of.min, unsigned(min)),
    max: lesser(of.max, unsigned(max)),
  });
}

/** JSET: where no bit is set, bounds are forgotten first. */
function bits(of: Range, to: bigint, holds: boolean): Range {
  if (!holds) return settle({ ...ANY, value: of.value & ~to & ALL64, mask: of.mask & ~to });
  const isOne = (to & (to - 1n)) === 0n;
  return isOne ? settle({ ...of, value: of.value | to, mask: of.mask & ~to }) : of;
}

/** Operations of which something is known where the right operand is not one number. */
const OF_RANGES: ReadonlySet<AluKind> = new Set<AluKind>(['add', 'sub', 'and']);

/** What an operation makes of two numbers. */
export function computeOld(kind: AluKind, width: Width, left: Range, right: Range): Range {
  if (kind === 'mov') return compute(kind, width, left, right);
  const b = width === 32 ? lowHalf(right) : right;
  // All 64 bits are unknown then, of an operation on half of them, too.
  if (b.min > b.max || (isExact(b) && b.min !== b.max)) return ANY;
  if (!isExact(b) && !OF_RANGES.has(kind)) return ANY;
  return compute(kind, width, left, right);
}
