/**
 * Numbers as stretches: where an expression over one number of the input (a port, an address, the clock) makes a
 * comparison true. The number's range is halved until the comparison is settled on each part.
 */
import {
  type BinaryOp,
  type CompareOp,
  foldBinary,
  foldCompare,
  foldUnary,
  type IntType,
  type UnaryOp,
} from '../../compiler/index.js';

/** First and last number. */
export type Interval = readonly [bigint, bigint];

/** An expression over one number, which `input` stands for. */
export type NumberTerm =
  | { readonly op: 'input' }
  | { readonly op: 'const'; readonly value: bigint }
  | {
      readonly op: 'binary';
      readonly kind: BinaryOp;
      readonly type: IntType;
      readonly a: NumberTerm;
      readonly b: NumberTerm;
    }
  | { readonly op: 'unary'; readonly kind: UnaryOp; readonly type: IntType; readonly a: NumberTerm }
  /** A word of an address: bits from `shift` on, 32 of them. */
  | { readonly op: 'word'; readonly shift: bigint };

/** Parts looked at before a comparison is given up. */
const MAX_PARTS = 4096;
/** The same where not one part was settled but numbers one by one: hashes say nothing of neighbours. */
const MAX_POINTS = 512;
const WORD = 0xffffffffn;

function maxOf(type: IntType): bigint {
  return type === 'i32' ? WORD : 0xffffffffffffffffn;
}

/** A term's value for one number; null where it has none. */
export function valueAt(term: NumberTerm, input: bigint): bigint | null {
  switch (term.op) {
    case 'input':
      return input;
    case 'const':
      return term.value;
    case 'word':
      return (input >> term.shift) & WORD;
    case 'unary': {
      const a = valueAt(term.a, input);
      return a === null ? null : foldUnary(term.kind, term.type, a);
    }
    case 'binary': {
      const [a, b] = [valueAt(term.a, input), valueAt(term.b, input)];
      return a === null || b === null ? null : foldBinary(term.kind, term.type, a, b);
    }
  }
}

/** A range that holds a term's values for a range of numbers; null where nothing is known. */
function rangeOf(term: NumberTerm, [low, high]: Interval): Interval | null {
  switch (term.op) {
    case 'input':
      return [low, high];
    case 'const':
      return [term.value, term.value];
    case 'word':
      return low >> (term.shift + 32n) === high >> (term.shift + 32n)
        ? [(low >> term.shift) & WORD, (high >> term.shift) & WORD]
        : [0n, WORD];
    case 'unary': {
      const a = rangeOf(term.a, [low, high]);
      if (a === null) return null;
      const isSmall = a[1] < 0x80n;
      return isSmall && term.kind.startsWith('extend') ? a : null;
    }
    case 'binary': {
      const [a, b] = [rangeOf(term.a, [low, high]), rangeOf(term.b, [low, high])];
      return a === null || b === null ? null : binaryRange(term.kind, maxOf(term.type), a, b);
    }
  }
}

function binaryRange(kind: BinaryOp, max: bigint, a: Interval, b: Interval): Interval | null {
  const size = max + 1n;
  const isConstant = b[0] === b[1];
  switch (kind) {
    case 'add': {
      const [low, high] = [a[0] + b[0], a[1] + b[1]];
      const turns = low / size;
      return turns === high / size ? [low - turns * size, high - turns * size] : null;
    }
    case 'sub': {
      const [low, high] = [a[0] - b[1], a[1] - b[0]];
      if (low >= 0n) return [low, high];
      return high < 0n ? [low + size, high + size] : null;
    }
    case 'mul':
      return a[1] * b[1] <= max ? [a[0] * b[0], a[1] * b[1]] : null;
    case 'shr_u':
      return isConstant ? [a[0] >> b[0], a[1] >> b[0]] : null;
    case 'shl':
      return isConstant && a[1] << b[0] <= max ? [a[0] << b[0], a[1] << b[0]] : null;
    case 'div_u':
      return isConstant && b[0] > 0n ? [a[0] / b[0], a[1] / b[0]] : null;
    case 'rem_u':
      if (!isConstant || b[0] === 0n) return null;
      return a[0] / b[0] === a[1] / b[0] ? [a[0] % b[0], a[1] % b[0]] : [0n, b[0] - 1n];
    case 'and': {
      if (!isConstant) return null;
      // Below the highest bits that all of the range share, anything may be.
      const [low, high] = sharedBits(a);
      return [low & b[0], high & b[0]];
    }
    case 'or':
    case 'xor': {
      if (!isConstant) return null;
      const [low, high] = sharedBits(a);
      const free = high - low;
      if ((b[0] & free) !== 0n && kind === 'xor') return null;
      return kind === 'or' ? [low | b[0], high | b[0]] : [low ^ b[0], high ^ b[0]];
    }
    default:
      return null;
  }
}

/** A range widened to one of all numbers with the same leading bits. */
function sharedBits([low, high]: Interval): Interval {
  const free = BigInt((low ^ high).toString(2).length);
  if (low === high) return [low, high];
  const mask = (1n << free) - 1n;
  return [low & ~mask, low | mask];
}

export interface Comparison {
  readonly kind: CompareOp;
  readonly type: IntType;
  readonly a: NumberTerm;
  readonly b: NumberTerm;
}

/** Where a comparison holds, and where that is not known. */
export interface Where {
  readonly holds: readonly Interval[];
  readonly unknown: readonly Interval[];
}

const SIGNED: ReadonlySet<CompareOp> = new Set<CompareOp>(['lt_s', 'gt_s', 'le_s', 'ge_s']);

/** A comparison of two ranges; null where they do not settle it. */
function settled(
  { kind, type }: Comparison,
  a: Interval | null,
  b: Interval | null,
): boolean | null {
  if (a === null || b === null) return null;
  const half = (maxOf(type) + 1n) / 2n;
  const isOneSign = (r: Interval): boolean => r[1] < half || r[0] >= half;
  if (SIGNED.has(kind) && !(isOneSign(a) && isOneSign(b))) return null;
  const corners = [a[0], a[1]].flatMap((x) =>
    [b[0], b[1]].map((y) => foldCompare(kind, type, x, y)),
  );
  const [first = false] = corners;
  if (!corners.every((corner) => corner === first)) return null;
  if (kind === 'eq' || kind === 'ne') {
    const isPoint = a[0] === a[1] && b[0] === b[1];
    const isApart = a[1] < b[0] || b[1] < a[0];
    return isPoint || isApart ? first : null;
  }
  return first;
}

/** Splits a range of numbers by a comparison. */
export function solve(comparison: Comparison, within: readonly Interval[]): Where {
  const holds: Interval[] = [];
  const unknown: Interval[] = [];
  let [parts, settledParts] = [0, 0];
  const open = [...within].reverse();
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    parts += 1;
    const [low, high] = part;
    const answer = settled(comparison, rangeOf(comparison.a, part), rangeOf(comparison.b, part));
    if (answer !== null && low < high) settledParts += 1;
    if (answer === true) holds.push(part);
    if (answer !== null) continue;
    if (parts > MAX_POINTS && settledParts === 0) return { holds: [], unknown: within };
    if (low === high) {
      const [a, b] = [valueAt(comparison.a, low), valueAt(comparison.b, low)];
      if (a === null || b === null) unknown.push(part);
      else if (foldCompare(comparison.kind, comparison.type, a, b)) holds.push(part);
    } else if (parts > MAX_PARTS) unknown.push(part);
    else {
      const middle = (low + high) >> 1n;
      open.push([middle + 1n, high], [low, middle]);
    }
  }
  return { holds: joinIntervals(holds), unknown: joinIntervals(unknown) };
}

/** Intervals in order as few as possible. */
export function joinIntervals(list: readonly Interval[]): readonly Interval[] {
  const sorted = [...list].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const joined: [bigint, bigint][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last === undefined || from > last[1] + 1n) joined.push([from, to]);
    else if (to > last[1]) last[1] = to;
  }
  return joined;
}
