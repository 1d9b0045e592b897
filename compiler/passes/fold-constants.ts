/**
 * Pass:    fold-constants
 * Reads:   one function, in an order in which definitions come before uses
 * Writes:  constants for what is constant; identities (x + 0, x & x, ...); constants to the right;
 *          chains of added or masked constants; comparisons that the range of a value decides;
 *          comparisons of booleans with 0 and 1; conversions that undo each other
 * Refuses: nothing
 * Keeps:   blocks and edges; traps (a division is folded only where it is defined)
 */
import {
  type BinaryOp,
  type CompareOp,
  type Func,
  foldCompare,
  foldInstr,
  type Instr,
  inverse,
  mapOperands,
  mapTerm,
  maskOf,
  newValue,
  resolver,
  reversePostorder,
  swapped,
  type Type,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { mostOf } from './most.js';

/** The same value under another name, another instruction for it, or null for no change. */
type Rewrite = { readonly same: ValueId } | { readonly instr: Instr } | null;

interface Facts {
  readonly constant: (value: ValueId) => bigint | null;
  readonly def: (value: ValueId) => Instr | undefined;
  readonly most: (value: ValueId) => bigint;
  readonly typeOf: (value: ValueId) => Type;
  /** A constant placed before the instruction that is being rewritten. */
  readonly make: (type: Type, value: bigint) => ValueId;
  /** `x + value` placed there. */
  readonly add: (type: Type, x: ValueId, value: bigint) => ValueId;
}

const COMMUTES: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['add', 'mul', 'and', 'or', 'xor']);
const SHIFTS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['shl', 'shr_u', 'shr_s', 'rotl', 'rotr']);

type Binary = Instr & { op: 'binary' };
type Compare = Instr & { op: 'compare' };

function constantValue(instr: Instr, value: bigint): Rewrite {
  const { id, type, loc } = instr;
  return { instr: { op: 'const', id, type, loc, value } };
}

function binaryByConstant(instr: Binary, c: bigint, facts: Facts): Rewrite {
  const [x, b] = instr.args;
  const all = maskOf(instr.type);
  const { kind, type } = instr;
  const inner = facts.def(x);
  const chained = inner?.op === 'binary' && inner.kind === kind ? inner : null;
  const innerConstant = chained === null ? null : facts.constant(chained.args[1]);
  if (c === 0n && ['add', 'sub', 'or', 'xor'].includes(kind)) return { same: x };
  if (SHIFTS.has(kind)) {
    const count = c & BigInt(type === 'i32' ? 31 : 63);
    if (count === 0n) return { same: x };
    if (count !== c) return { instr: { ...instr, args: [x, facts.make(type, count)] } };
    if (kind === 'shr_u' && facts.most(x) >> count === 0n) return constantValue(instr, 0n);
    const high = kind === 'shr_u' && count === 32n ? packedHalves(inner, facts)?.high : undefined;
    if (high !== undefined) return { same: high };
    const fixed = kind === 'shr_u' && inner?.op === 'binary' && inner.kind === 'or' ? inner : null;
    const top = fixed === null ? null : facts.constant(fixed.args[1]);
    if (fixed !== null && top !== null && facts.most(fixed.args[0]) >> count === 0n) {
      return constantValue(instr, top >> count);
    }
    return null;
  }
  if (kind === 'sub') {
    const negative = facts.make(type, BigInt.asUintN(type === 'i32' ? 32 : 64, -c));
    return { instr: { ...instr, kind: 'add', args: [x, negative] } };
  }
  if (c === 0n && (kind === 'and' || kind === 'mul')) return constantValue(instr, 0n);
  if (c === 1n && (kind === 'mul' || kind === 'div_u')) return { same: x };
  if (c === 1n && kind === 'rem_u') return constantValue(instr, 0n);
  if (kind === 'or' && c === all) return constantValue(instr, all);
  if (c > 0n && (c & (c - 1n)) === 0n && (kind === 'div_u' || kind === 'rem_u')) {
    const power = BigInt(c.toString(2).length - 1);
    const [op, operand] =
      kind === 'div_u' ? (['shr_u', power] as const) : (['and', c - 1n] as const);
    return { instr: { ...instr, kind: op, args: [x, facts.make(type, operand)] } };
  }
  // A mask of low ones that covers all that x can be.
  if (kind === 'and' && (c & (c + 1n)) === 0n && facts.most(x) <= c) return { same: x };
  // Bits that an inner `or` sets and the mask takes away.
  if (kind === 'and' && inner?.op === 'binary' && inner.kind === 'or') {
    const set = facts.constant(inner.args[1]);
    if (set !== null && (set & c) === 0n) return { instr: { ...instr, args: [inner.args[0], b] } };
  }
  if (chained !== null && innerConstant !== null && (kind === 'add' || kind === 'and')) {
    const joined = kind === 'add' ? (c + innerConstant) & all : c & innerConstant;
    return { instr: { ...instr, args: [chained.args[0], facts.make(type, joined)] } };
  }
  return null;
}

function rewriteBinary(instr: Binary, facts: Facts): Rewrite {
  const [a, b] = instr.args;
  const right = facts.constant(b);
  if (right !== null) return binaryByConstant(instr, right, facts);
  const left = facts.constant(a);
  if (left !== null && COMMUTES.has(instr.kind)) return { instr: { ...instr, args: [b, a] } };
  if (left === 0n && SHIFTS.has(instr.kind)) return { same: a };
  if (a !== b) return null;
  if (instr.kind === 'and' || instr.kind === 'or') return { same: a };
  if (instr.kind === 'sub' || instr.kind === 'xor') return constantValue(instr, 0n);
  return null;
}

/** Decided by the range of x alone; null where it is not. */
function decided(kind: CompareOp, type: Type, most: bigint, c: bigint): boolean | null {
  const low = foldCompare(kind, type, 0n, c);
  const high = foldCompare(kind, type, most, c);
  if (kind === 'eq' || kind === 'ne') return c > most ? kind === 'ne' : null;
  // Signed comparison is monotonic on 0..most only where the sign bit is never set.
  if (kind.endsWith('_s') && most > maskOf(type) >> 1n) return null;
  return low === high ? low : null;
}

function rewriteCompare(instr: Compare, facts: Facts): Rewrite {
  const [a, b] = instr.args;
  const { kind } = instr;
  const type = facts.typeOf(a);
  const right = facts.constant(b);
  if (a === b) return constantValue(instr, foldCompare(kind, type, 0n, 0n) ? 1n : 0n);
  if (right === null) {
    if (facts.constant(a) === null) return null;
    return { instr: { ...instr, kind: swapped(kind), args: [b, a] } };
  }
  const most = facts.most(a);
  const known = decided(kind, type, most, right);
  if (known !== null) return constantValue(instr, known ? 1n : 0n);
  const def = facts.def(a);
  if (most <= 1n && type === 'i32' && (kind === 'eq' || kind === 'ne')) {
    if ((kind === 'eq') === (right === 1n)) return { same: a };
    if (def?.op === 'compare') return { instr: { ...def, id: instr.id, kind: inverse(def.kind) } };
  }
  // x < 1 and x > 0 are tests for zero.
  if (kind === 'lt_u' && right === 1n) {
    return { instr: { ...instr, kind: 'eq', args: [a, facts.make(type, 0n)] } };
  }
  if (kind === 'gt_u' && right === 0n) return { instr: { ...instr, kind: 'ne' } };
  if ((kind === 'eq' || kind === 'ne') && def?.op === 'extend_u') {
    return { instr: { ...instr, args: [def.args[0], facts.make('i32', right)] } };
  }
  return rewriteEquality(instr, def, right, type, facts);
}

/** x + c == d, x ^ c == d, x / c == d, x ^ y == 0, x - y == 0. */
function rewriteEquality(
  instr: Compare,
  def: Instr | undefined,
  right: bigint,
  type: Type,
  facts: Facts,
): Rewrite {
  if ((instr.kind !== 'eq' && instr.kind !== 'ne') || def?.op !== 'binary') return null;
  const c = facts.constant(def.args[1]);
  if (c !== null && def.kind === 'add') {
    const value = (right - c) & maskOf(type);
    return { instr: { ...instr, args: [def.args[0], facts.make(type, value)] } };
  }
  if (c !== null && def.kind === 'xor') {
    return { instr: { ...instr, args: [def.args[0], facts.make(type, right ^ c)] } };
  }
  // x / c == d where x is one of the c numbers from c * d on.
  if (c !== null && c > 1n && def.kind === 'div_u' && right * c + c - 1n <= maskOf(type)) {
    const above = facts.add(
      type,
      def.args[0],
      BigInt.asUintN(type === 'i32' ? 32 : 64, -right * c),
    );
    const kind = instr.kind === 'eq' ? 'lt_u' : 'ge_u';
    return { instr: { ...instr, kind, args: [above, facts.make(type, c)] } };
  }
  if (right === 0n && (def.kind === 'xor' || def.kind === 'sub')) {
    return { instr: { ...instr, args: def.args } };
  }
  return null;
}

function rewriteSelect(instr: Instr & { op: 'select' }, facts: Facts): Rewrite {
  const [condition, then, otherwise] = instr.args;
  const known = facts.constant(condition);
  if (known !== null) return { same: known !== 0n ? then : otherwise };
  if (then === otherwise) return { same: then };
  const [yes, no] = [facts.constant(then), facts.constant(otherwise)];
  const boolean = facts.most(condition) <= 1n;
  if (instr.type === 'i32' && yes === 1n && no === 0n) {
    if (boolean) return { same: condition };
    const args = [condition, otherwise] as const;
    return {
      instr: { op: 'compare', kind: 'ne', type: 'i32', id: instr.id, loc: instr.loc, args },
    };
  }
  if (instr.type === 'i32' && yes === 0n && no === 1n) {
    const args = [condition, then] as const;
    return {
      instr: { op: 'compare', kind: 'eq', type: 'i32', id: instr.id, loc: instr.loc, args },
    };
  }
  // Of booleans: c ? x : 0 is c & x, c ? 1 : x is c | x.
  const { id, type, loc } = instr;
  if (type === 'i32' && boolean && no === 0n && facts.most(then) <= 1n) {
    return { instr: { op: 'binary', kind: 'and', id, type, loc, args: [condition, then] } };
  }
  if (type === 'i32' && boolean && yes === 1n && facts.most(otherwise) <= 1n) {
    return { instr: { op: 'binary', kind: 'or', id, type, loc, args: [condition, otherwise] } };
  }
  const def = facts.def(condition);
  if (def?.op === 'compare' && facts.constant(def.args[1]) === 0n && def.kind === 'eq') {
    if (facts.typeOf(def.args[0]) === 'i32') {
      return { instr: { ...instr, args: [def.args[0], otherwise, then] } };
    }
  }
  return null;
}

/** The halves of `high << 32 | low`, as fuel and value are packed. */
function packedHalves(
  def: Instr | undefined,
  facts: Facts,
): { high: ValueId; low: ValueId } | null {
  if (def?.op !== 'binary' || def.kind !== 'or') return null;
  for (const [shifted, low] of [def.args, [def.args[1], def.args[0]] as const]) {
    const shift = facts.def(shifted);
    if (shift?.op !== 'binary' || shift.kind !== 'shl') continue;
    const [high, count] = shift.args;
    const small = facts.most(high) <= 0xffffffffn && facts.most(low) <= 0xffffffffn;
    if (small && facts.constant(count) === 32n) return { high, low };
  }
  return null;
}

function rewrite(instr: Instr, facts: Facts): Rewrite {
  switch (instr.op) {
    case 'binary':
      return rewriteBinary(instr, facts);
    case 'compare':
      return rewriteCompare(instr, facts);
    case 'select':
      return rewriteSelect(instr, facts);
    case 'wrap': {
      const def = facts.def(instr.args[0]);
      if (def?.op === 'extend_u' || def?.op === 'extend_s') return { same: def.args[0] };
      const low = packedHalves(def, facts)?.low;
      if (low !== undefined) return { instr: { ...instr, args: [low] } };
      if (def?.op !== 'binary' || def.kind !== 'or') return null;
      const set = facts.constant(def.args[1]);
      if (set === null || (set & 0xffffffffn) !== 0n) return null;
      return { instr: { ...instr, args: [def.args[0]] } };
    }
    case 'extend_s':
      if (facts.most(instr.args[0]) > 0x7fffffffn) return null;
      return { instr: { ...instr, op: 'extend_u' } };
    case 'extend_u': {
      const def = facts.def(instr.args[0]);
      if (def?.op !== 'wrap') return null;
      const [wide] = def.args;
      if (facts.most(wide) <= 0xffffffffn) return { same: wide };
      const args = [wide, facts.make('i64', 0xffffffffn)] as const;
      const { id, loc } = instr;
      return { instr: { op: 'binary', kind: 'and', type: 'i64', id, loc, args } };
    }
    case 'unary': {
      const limit = { extend8_s: 0x7fn, extend16_s: 0x7fffn, extend32_s: 0x7fffffffn }[
        instr.kind as 'extend8_s'
      ];
      if (limit !== undefined && facts.most(instr.args[0]) <= limit) return { same: instr.args[0] };
      return null;
    }
    default:
      return null;
  }
}

/** Folds what is known at compile time. */
export function foldConstants(func: Func): boolean {
  const types = valueTypes(func);
  const defs = new Map<ValueId, Instr>();
  const most = new Map<ValueId, bigint>();
  const replaced = new Map<ValueId, ValueId>();
  const now = resolver(replaced);
  let changed = false;
  for (const block of reversePostorder(func)) {
    const out: Instr[] = [];
    const place = (instr: Instr): void => {
      out.push(instr);
      defs.set(instr.id, instr);
      types.set(instr.id, instr.type);
      most.set(instr.id, mostOf(instr, facts.most, facts.constant));
    };
    const facts: Facts = {
      constant: (value) => {
        const def = defs.get(value);
        return def?.op === 'const' ? def.value : null;
      },
      def: (value) => defs.get(value),
      most: (value) => most.get(value) ?? maskOf(types.get(value) ?? 'i64'),
      typeOf: (value) => types.get(value) ?? 'i64',
      make: (type, value) => {
        const id = newValue(func);
        place({ op: 'const', id, type, loc: null, value });
        return id;
      },
      add: (type, x, value) => {
        const args = [x, facts.make(type, value)] as const;
        const id = newValue(func);
        place({ op: 'binary', kind: 'add', id, type, loc: null, args });
        return id;
      },
    };
    for (const original of block.instrs) {
      let instr = mapOperands(original, now);
      let same: ValueId | null = null;
      // Rewrites lead to simpler forms; the bound only guards against a mistake in them.
      for (let step = 0; step < 8 && same === null; step++) {
        const value =
          instr.op === 'const' ? null : foldInstr(instr, facts.constant, facts.typeOf, null);
        const next = value === null ? rewrite(instr, facts) : constantValue(instr, value);
        if (next === null) break;
        changed = true;
        if ('same' in next) same = now(next.same);
        else instr = next.instr;
      }
      if (same !== null) replaced.set(instr.id, same);
      else place(instr);
    }
    block.instrs = out;
  }
  if (replaced.size > 0) {
    for (const block of func.blocks) {
      block.instrs = block.instrs.map((instr) => mapOperands(instr, now));
      block.term = mapTerm(block.term, now);
    }
  }
  return changed;
}
