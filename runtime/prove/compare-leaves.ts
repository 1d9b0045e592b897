/** Where a comparison of two parts of an input holds. What is not known becomes a question of its own. */
import { type CompareOp, foldCompare, type IntType, swapped } from '../../compiler/index.js';
import { areOfOne } from './combine-leaves.js';
import { ALL, NONE } from './diagram.js';
import { attributeField, opaqueField, type TextField } from './field.js';
import type { Guard, Guards } from './guards.js';
import { type Interval, type NumberTerm, solve } from './intervals.js';
import type { Leaf, Opaques } from './leaf.js';
import { constant } from './leaf.js';
import { principalExists, principalPasses } from './principal.js';

export interface Asking {
  readonly guards: Guards;
  readonly opaques: Opaques;
  /** The line under way, as `file:line`. */
  readonly at: string | null;
}

/** Longest length that a view's is compared with. */
const MAX_LENGTH = 600n;

/** Whether something that is not looked into is so. */
export function opaqueGuard({ guards, opaques, at }: Asking, expression: string): Guard {
  const leaf = opaques.leaf(expression, at);
  return leaf.kind === 'opaque' ? guards.flag(opaqueField(leaf.number)) : NONE;
}

/** Where a part of the input is not zero. */
export function truthOf(asking: Asking, leaf: Leaf): Guard {
  if (leaf.kind === 'opaque') return asking.guards.flag(opaqueField(leaf.number));
  return compareLeaves(asking, 'ne', 'i32', leaf, constant(0n));
}

function isEmpty(guards: Guards, field: TextField): Guard {
  return guards.text(field, { op: 'is', text: '', ignoresCase: false });
}

/** A number 0 for absent, 1 for empty, else more, compared with a constant; null where that depends on more. */
function symbolAgainst(
  kind: CompareOp,
  value: bigint,
  { absent, empty }: { readonly absent: () => Guard; readonly empty: () => Guard },
  guards: Guards,
): Guard | null {
  const more = (than: bigint): Guard | null => {
    if (than < 0n) return ALL;
    if (than === 0n) return guards.not(absent());
    return than === 1n ? guards.not(guards.or(absent(), empty())) : null;
  };
  const negated = (guard: Guard | null): Guard | null =>
    guard === null ? null : guards.not(guard);
  switch (kind) {
    case 'eq':
      return value === 0n ? absent() : value === 1n ? empty() : null;
    case 'ne':
      return negated(symbolAgainst('eq', value, { absent, empty }, guards));
    case 'gt_u':
    case 'gt_s':
      return more(value);
    case 'ge_u':
    case 'ge_s':
      return more(value - 1n);
    case 'lt_u':
    case 'lt_s':
      return negated(more(value - 1n));
    case 'le_u':
    case 'le_s':
      return negated(more(value));
  }
}

function lengthAgainst(
  guards: Guards,
  field: TextField,
  kind: CompareOp,
  value: bigint,
): Guard | null {
  if (value > MAX_LENGTH) return null;
  const more = (than: bigint): Guard => {
    if (than < 0n) return ALL;
    if (than === 0n) return guards.not(guards.or(guards.absent(field), isEmpty(guards, field)));
    return guards.text(field, { op: 'longer', than: Number(than) });
  };
  switch (kind) {
    case 'eq':
      return guards.and(more(value - 1n), guards.not(more(value)));
    case 'ne':
      return guards.not(guards.and(more(value - 1n), guards.not(more(value))));
    case 'gt_u':
    case 'gt_s':
      return more(value);
    case 'ge_u':
    case 'ge_s':
      return more(value - 1n);
    case 'lt_u':
    case 'lt_s':
      return guards.not(more(value - 1n));
    case 'le_u':
    case 'le_s':
      return guards.not(more(value));
  }
}

/** Both principals are absent, or both are there with equal parts. */
function samePrincipal(guards: Guards): Guard {
  const [one, other] = [principalExists(guards, 'source'), principalExists(guards, 'destination')];
  const parts = (['trustDomain', 'namespace', 'serviceAccount'] as const).map((name) =>
    guards.same(attributeField('source', name), attributeField('destination', name)),
  );
  const equal = parts.reduce(guards.and, guards.and(one, other));
  return guards.or(equal, guards.and(guards.not(one), guards.not(other)));
}

function equalTexts(guards: Guards, a: Leaf, b: Leaf): Guard | null {
  if (a.kind === 'symbol' && b.kind === 'symbol') return a.text === b.text ? ALL : NONE;
  if (a.kind === 'symbol') return equalTexts(guards, b, a);
  if (a.kind === 'symbol-of' && b.kind === 'symbol') {
    return guards.text(a.field, { op: 'is', text: b.text, ignoresCase: false });
  }
  if (a.kind === 'symbol-of' && b.kind === 'symbol-of' && a.field.domain === b.field.domain) {
    return a.field.name === b.field.name ? ALL : guards.same(a.field, b.field);
  }
  if (a.kind === 'principal' && b.kind === 'symbol') {
    return principalPasses(guards, a.side, 'is', b.text);
  }
  if (a.kind === 'principal' && b.kind === 'principal') {
    return a.side === b.side ? ALL : samePrincipal(guards);
  }
  return null;
}

function againstConstant(guards: Guards, kind: CompareOp, a: Leaf, value: bigint): Guard | null {
  switch (a.kind) {
    case 'symbol-of': {
      const { field } = a;
      return symbolAgainst(
        kind,
        value,
        { absent: () => guards.absent(field), empty: () => isEmpty(guards, field) },
        guards,
      );
    }
    case 'principal': {
      const absent = (): Guard => guards.not(principalExists(guards, a.side));
      return symbolAgainst(kind, value, { absent, empty: () => NONE }, guards);
    }
    case 'symbol':
      return symbolAgainst(
        kind,
        value,
        { absent: () => NONE, empty: () => (a.text === '' ? ALL : NONE) },
        guards,
      );
    case 'view':
      // Views that are there are numbers that nobody compares but with 0.
      return value === 0n && (kind === 'eq' || kind === 'ne' || kind === 'gt_u')
        ? kind === 'eq'
          ? guards.absent(a.field)
          : guards.not(guards.absent(a.field))
        : null;
    case 'length':
      return lengthAgainst(guards, a.field, kind, value);
    default:
      return null;
  }
}

type NumericLeaf = Extract<Leaf, { readonly kind: 'number' | 'byte' }>;

function isNumeric(leaf: Leaf): leaf is NumericLeaf {
  return leaf.kind === 'number' || leaf.kind === 'byte';
}

const OUTSIDE = 0xffff_ffffn;
/** What `at` answers: a byte, or -1. */
const BYTES: readonly Interval[] = [
  [0n, 0xffn],
  [OUTSIDE, OUTSIDE],
];

/** Where the input that a number is made of lies in some stretches. */
function isWithin(guards: Guards, leaf: NumericLeaf, list: readonly Interval[]): Guard {
  if (list.length === 0) return NONE;
  if (leaf.kind === 'number') return guards.number(leaf.field, list);
  const { field, index } = leaf;
  const inside = list.filter(([from]) => from < OUTSIDE);
  const codes = inside.map(([from, to]) => [Number(from), Number(to)] as const);
  const has = codes.length === 0 ? NONE : guards.text(field, { op: 'byte', index, codes });
  if (inside.length === list.length) return has;
  const reaches = guards.text(field, { op: 'longer', than: index });
  return guards.or(has, guards.not(reaches));
}

/** Where `a kind b` holds. */
export function compareLeaves(
  asking: Asking,
  kind: CompareOp,
  type: IntType,
  a: Leaf,
  b: Leaf,
): Guard {
  const { guards } = asking;
  if (a.kind === 'const' && b.kind === 'const')
    return foldCompare(kind, type, a.value, b.value) ? ALL : NONE;
  if (a.kind === 'const') return compareLeaves(asking, swapped(kind), type, b, a);
  if (a.key === b.key) return foldCompare(kind, type, 0n, 0n) ? ALL : NONE;
  if (isNumeric(a) && (b.kind === 'const' || (isNumeric(b) && areOfOne(a, b)))) {
    const term: NumberTerm = b.kind === 'const' ? { op: 'const', value: b.value } : b.term;
    const within = a.kind === 'byte' ? BYTES : a.field.within;
    const { holds, unknown } = solve({ kind, type, a: a.term, b: term }, within);
    const sure = isWithin(guards, a, holds);
    if (unknown.length === 0) return sure;
    const open = guards.and(
      isWithin(guards, a, unknown),
      opaqueGuard(asking, `${a.key} ${kind} ${type} ${b.key}`),
    );
    return guards.or(sure, open);
  }
  if (a.kind === 'range' && (b.kind === 'const' || b.kind === 'range')) {
    const [low, high] = b.kind === 'const' ? [b.value, b.value] : [b.low, b.high];
    const answers = [a.low, a.high].flatMap((x) =>
      [low, high].map((y) => foldCompare(kind, type, x, y)),
    );
    const isApart = a.high < low || high < a.low;
    const isOrder = kind !== 'eq' && kind !== 'ne';
    if ((isApart || isOrder) && answers.every((answer) => answer === answers[0]))
      return answers[0] === true ? ALL : NONE;
  }
  const found =
    b.kind === 'const'
      ? againstConstant(guards, kind, a, b.value)
      : kind === 'eq' || kind === 'ne'
        ? equalTexts(guards, a, b)
        : null;
  if (found !== null) return kind === 'ne' && b.kind !== 'const' ? guards.not(found) : found;
  const isNegated = kind === 'ne';
  const guard = opaqueGuard(asking, `${a.key} ${isNegated ? 'eq' : kind} ${type} ${b.key}`);
  return isNegated ? guards.not(guard) : guard;
}
