/**
 * Pass:    reduce-strength
 * Reads:   unsigned divisions and remainders by constants, with the range of what is divided
 * Writes:  a multiplication and a shift, where they are exact for the whole range; divisions of 64 bits whose
 *          operands have 32 as ones of 32
 * Refuses: nothing
 * Keeps:   results bit for bit
 *
 * q = x * M >> k with M = ceil(2^k / c) is floor(x / c) for all x <= X where X * (M * c - 2^k) < 2^k
 * (Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994).
 */
import {
  type BinaryOp,
  type Func,
  type Instr,
  maskOf,
  newValue,
  reversePostorder,
  type Type,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { mostOf } from './most.js';

type Binary = Instr & { op: 'binary' };

const ALL_32 = 0xffffffffn;
/** A multiplier beyond this needs a register, loaded by two slots. */
const MOST_IMMEDIATE = 0x7fffffffn;

/** Replaces divisions in place. */
export function reduceStrength(func: Func): boolean {
  const types = valueTypes(func);
  const most = new Map<ValueId, bigint>();
  const constants = new Map<ValueId, bigint>();
  const mostOfValue = (value: ValueId): bigint =>
    most.get(value) ?? maskOf(types.get(value) ?? 'i64');
  let changed = false;
  for (const block of reversePostorder(func)) {
    block.instrs = block.instrs.flatMap((instr) => {
      if (instr.op === 'const') constants.set(instr.id, instr.value);
      most.set(
        instr.id,
        mostOf(instr, mostOfValue, (v) => constants.get(v) ?? null),
      );
      if (instr.op !== 'binary') return [instr];
      const divisor = constants.get(instr.args[1]);
      const made =
        divisor === undefined ? null : reduce(func, instr, mostOfValue(instr.args[0]), divisor);
      changed ||= made !== null;
      return made ?? [instr];
    });
  }
  return changed;
}

/** What stands in place of a division of at most `most` by `divisor`; null where it stays. */
function reduce(func: Func, instr: Binary, most: bigint, divisor: bigint): Instr[] | null {
  const { kind, type } = instr;
  if ((kind !== 'div_u' && kind !== 'rem_u') || divisor < 2n) return null;
  const factor = exactFactor(most, divisor);
  if (factor !== null) return multiply(func, instr, factor, divisor);
  return type === 'i64' && most <= ALL_32 && divisor <= ALL_32 ? narrow(func, instr) : null;
}

interface Factor {
  readonly by: bigint;
  readonly shift: bigint;
}

function exactFactor(most: bigint, divisor: bigint): Factor | null {
  for (let shift = 1n; shift < 64n; shift++) {
    const power = 1n << shift;
    const by = (power + divisor - 1n) / divisor;
    if (by > MOST_IMMEDIATE || most * by > maskOf('i64')) return null;
    if (most * (by * divisor - power) < power) return { by, shift };
  }
  return null;
}

/** Appends instructions, of 64 bits unless said otherwise. */
class Code {
  readonly out: Instr[] = [];
  readonly #func: Func;
  readonly #like: Binary;
  constructor(func: Func, like: Binary) {
    this.#func = func;
    this.#like = like;
  }
  binary(kind: BinaryOp, a: ValueId, b: ValueId, id?: ValueId, type: Type = 'i64'): ValueId {
    return this.#push((base) => ({ op: 'binary', kind, type, ...base, args: [a, b] }), id);
  }
  by(kind: BinaryOp, a: ValueId, value: bigint, id?: ValueId): ValueId {
    const constant = this.#push((base) => ({ op: 'const', type: 'i64', ...base, value }));
    return this.binary(kind, a, constant, id);
  }
  convert(op: 'wrap' | 'extend_u', a: ValueId, id?: ValueId): ValueId {
    const type = op === 'wrap' ? 'i32' : 'i64';
    return this.#push((base) => ({ op, type, ...base, args: [a] }), id);
  }
  #push(make: (base: Pick<Instr, 'id' | 'loc'>) => Instr, asked?: ValueId): ValueId {
    const id = asked ?? newValue(this.#func);
    this.out.push(make({ id, loc: this.#like.loc }));
    return id;
  }
}

function multiply(func: Func, instr: Binary, { by, shift }: Factor, divisor: bigint): Instr[] {
  const code = new Code(func, instr);
  const [x] = instr.args;
  const is32 = instr.type === 'i32';
  const wide = is32 ? code.convert('extend_u', x) : x;
  const product = code.by('mul', wide, by);
  // The last instruction has the number of the one it stands for.
  const last = (isLast: boolean): ValueId | undefined => (isLast ? instr.id : undefined);
  const isDivision = instr.kind === 'div_u';
  const quotient = code.by('shr_u', product, shift, last(isDivision && !is32));
  if (isDivision) {
    if (is32) code.convert('wrap', quotient, instr.id);
    return code.out;
  }
  const whole = code.by('mul', quotient, divisor);
  const rest = code.binary('sub', wide, whole, last(!is32));
  if (is32) code.convert('wrap', rest, instr.id);
  return code.out;
}

function narrow(func: Func, instr: Binary): Instr[] {
  const code = new Code(func, instr);
  const [a, b] = instr.args;
  const x = code.convert('wrap', a);
  const y = code.convert('wrap', b);
  const result = code.binary(instr.kind, x, y, undefined, 'i32');
  code.convert('extend_u', result, instr.id);
  return code.out;
}
