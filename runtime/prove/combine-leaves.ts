/** What arithmetic makes of parts of an input, as far as something comparable comes of it. */
import {
  type BinaryOp,
  foldBinary,
  foldUnary,
  type IntType,
  maskOf,
  type UnaryOp,
} from '../../compiler/index.js';
import { DRAW_FIELD, residueField } from './field.js';
import type { NumberTerm } from './intervals.js';
import {
  byteLeaf,
  constant,
  type Leaf,
  lengthLeaf,
  numberLeaf,
  type Opaques,
  pairLeaf,
  rangeLeaf,
} from './leaf.js';

const LENGTH_BITS = 0xffffn;
const LOW = 0xffffffffn;

/** Where an expression that is not looked into stands. */
export interface Place {
  readonly opaques: Opaques;
  readonly at: string | null;
}

function termOf(leaf: Leaf): NumberTerm | null {
  if (leaf.kind === 'const') return { op: 'const', value: leaf.value };
  return leaf.kind === 'number' || leaf.kind === 'byte' ? leaf.term : null;
}

/** Another number of the same part of the input. */
function withTerm(leaf: Leaf, term: NumberTerm): Leaf | null {
  if (leaf.kind === 'number') return numberLeaf(leaf.field, term);
  return leaf.kind === 'byte' ? byteLeaf(leaf.field, leaf.index, term) : null;
}

/** Whether two numbers are of one part of the input. */
export function areOfOne(a: Leaf, b: Leaf): boolean {
  if (a.kind === 'number') return b.kind === 'number' && a.field.name === b.field.name;
  if (a.kind !== 'byte' || b.kind !== 'byte') return false;
  return a.field.name === b.field.name && a.index === b.index;
}

function ofNumbers(kind: BinaryOp, type: IntType, a: Leaf, b: Leaf): Leaf | null {
  const [one, other] = [termOf(a), termOf(b)];
  if (one === null || other === null) return null;
  if (a.kind !== 'const' && b.kind !== 'const' && !areOfOne(a, b)) return null;
  return withTerm(a.kind === 'const' ? b : a, { op: 'binary', kind, type, a: one, b: other });
}

/** What a division of a draw or a hash leaves is a number of its own: the whole has too many stretches. */
function ofDraw(kind: BinaryOp, a: Leaf, b: Leaf): Leaf | null {
  if (kind !== 'rem_u' || a.kind !== 'number' || a.term.op !== 'input') return null;
  if (b.kind !== 'const' || b.value === 0n || a.field.residue !== undefined) return null;
  if (a.field.name !== DRAW_FIELD.name && a.field.hashed === undefined) return null;
  return numberLeaf(residueField(a.field, b.value), a.term);
}

function ofRange(kind: BinaryOp, type: IntType, a: Leaf, b: Leaf): Leaf | null {
  if (a.kind !== 'range' || b.kind !== 'const') return null;
  if (type === 'i64' && kind === 'shl' && b.value === 32n) return pairLeaf(a, constant(0n));
  const change = BigInt.asIntN(type === 'i32' ? 32 : 64, b.value) * (kind === 'sub' ? -1n : 1n);
  const [low, high] = [a.low + change, a.high + change];
  const isInside = low >= 0n && high <= maskOf(type);
  return (kind === 'add' || kind === 'sub') && isInside ? rangeLeaf(low, high) : null;
}

/** Of 32 bits, so that it can be the lower half of a pair. */
function isWord(leaf: Leaf): boolean {
  return leaf.kind !== 'pair' && (leaf.kind !== 'const' || leaf.value <= LOW);
}

function ofPair(kind: BinaryOp, type: IntType, a: Leaf, b: Leaf): Leaf | null {
  if (type !== 'i64') return null;
  if (a.kind === 'pair' && b.kind === 'const') {
    if (kind === 'shr_u' && b.value === 32n) return a.high;
    if (kind === 'and' && b.value === LOW) return a.low;
  }
  if (kind !== 'or' && kind !== 'add') return null;
  const isEmpty = (leaf: Leaf): boolean => leaf.kind === 'const' && leaf.value === 0n;
  if (a.kind === 'pair' && isEmpty(a.low) && isWord(b)) return pairLeaf(a.high, b);
  const isHigh = a.kind === 'const' && a.value > LOW && (a.value & LOW) === 0n;
  return isHigh && isWord(b) ? pairLeaf(constant(a.value >> 32n), b) : null;
}

const COMMUTES: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['add', 'mul', 'and', 'or', 'xor']);

/** The result of an operation on two parts. */
export function combineLeaves(place: Place, kind: BinaryOp, type: IntType, a: Leaf, b: Leaf): Leaf {
  if (a.kind === 'const' && b.kind === 'const') {
    const value = foldBinary(kind, type, a.value, b.value);
    if (value !== null) return constant(value);
  }
  if (
    COMMUTES.has(kind) &&
    a.kind === 'const' &&
    b.kind !== 'const' &&
    !(kind === 'or' || kind === 'add')
  ) {
    return combineLeaves(place, kind, type, b, a);
  }
  const isZero = b.kind === 'const' && b.value === 0n;
  if (isZero && (kind === 'add' || kind === 'or' || kind === 'xor' || kind === 'sub')) return a;
  if (a.kind === 'const' && a.value === 0n && (kind === 'add' || kind === 'or')) return b;
  if (kind === 'and' && b.kind === 'const' && b.value === LENGTH_BITS) {
    if (a.kind === 'view') return lengthLeaf(a.field);
    if (a.kind === 'length') return a;
  }
  const found =
    ofDraw(kind, a, b) ??
    ofNumbers(kind, type, a, b) ??
    ofPair(kind, type, a, b) ??
    ofPair(kind, type, b, a) ??
    ofRange(kind, type, a, b) ??
    (kind === 'add' ? ofRange(kind, type, b, a) : null);
  return found ?? place.opaques.leaf(`(${a.key} ${kind} ${type} ${b.key})`, place.at);
}

/** The result of an operation on one part. */
export function changeLeaf(
  place: Place,
  kind: UnaryOp | 'extend_u' | 'extend_s' | 'wrap',
  type: IntType,
  a: Leaf,
): Leaf {
  if (a.kind === 'const') {
    if (kind === 'extend_u') return a;
    if (kind === 'wrap') return constant(a.value & LOW);
    return constant(
      foldUnary(
        kind === 'extend_s' ? 'extend32_s' : kind,
        kind === 'extend_s' ? 'i64' : type,
        a.value,
      ),
    );
  }
  if (kind === 'extend_u') return a;
  if (kind === 'wrap') {
    if (a.kind === 'pair') return a.low;
    const term = termOf(a);
    if (term !== null && term.op !== 'input') {
      const mask: NumberTerm = { op: 'const', value: LOW };
      return withTerm(a, { op: 'binary', kind: 'and', type: 'i64', a: term, b: mask }) ?? a;
    }
    return a.kind === 'opaque' ? place.opaques.leaf(`(wrap ${a.key})`, place.at) : a;
  }
  if (a.kind === 'number' || a.kind === 'byte') {
    const [op, of] =
      kind === 'extend_s' ? (['extend32_s', 'i64'] as const) : ([kind, type] as const);
    const changed = withTerm(a, { op: 'unary', kind: op, type: of, a: a.term });
    if (changed !== null) return changed;
  }
  const isSmall =
    a.kind === 'symbol-of' ||
    a.kind === 'principal' ||
    a.kind === 'view' ||
    a.kind === 'length' ||
    a.kind === 'symbol';
  if (kind === 'extend_s' && isSmall) return a;
  return place.opaques.leaf(`(${kind} ${type} ${a.key})`, place.at);
}
