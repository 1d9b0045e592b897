/**
 * Pass:    expand-arithmetic
 * Reads:   binary and unary instructions
 * Writes:  div_s, rem_s, rotl, rotr, clz, ctz, popcnt in terms of what every BPF version has
 * Refuses: nothing
 * Keeps:   results bit for bit, where the division is defined (its checks are in the flow before it)
 */
import {
  type BinaryOp,
  bitsOf,
  type Func,
  type Instr,
  type Loc,
  maskOf,
  newValue,
  type Type,
  type ValueId,
} from '../ir/index.js';

/** Appends instructions of one type. */
class Emitter {
  readonly out: Instr[];
  private readonly func: Func;
  private readonly type: Type;
  private readonly loc: Loc;
  constructor(func: Func, out: Instr[], type: Type, loc: Loc) {
    this.func = func;
    this.out = out;
    this.type = type;
    this.loc = loc;
  }
  constant(value: bigint): ValueId {
    const id = newValue(this.func);
    this.out.push({ op: 'const', id, type: this.type, loc: this.loc, value });
    return id;
  }
  binary(kind: BinaryOp, a: ValueId, b: ValueId, id: ValueId = newValue(this.func)): ValueId {
    this.out.push({ op: 'binary', kind, id, type: this.type, loc: this.loc, args: [a, b] });
    return id;
  }
  by(kind: BinaryOp, a: ValueId, constant: bigint): ValueId {
    return this.binary(kind, a, this.constant(constant));
  }
}

/** Absolute value and sign mask (all ones where negative). */
function absolute(e: Emitter, x: ValueId, bits: number): { value: ValueId; sign: ValueId } {
  const sign = e.by('shr_s', x, BigInt(bits - 1));
  return { value: e.binary('sub', e.binary('xor', x, sign), sign), sign };
}

function signedDivision(
  e: Emitter,
  kind: 'div_u' | 'rem_u',
  instr: Instr & { op: 'binary' },
): void {
  const bits = bitsOf(instr.type);
  const a = absolute(e, instr.args[0], bits);
  const b = absolute(e, instr.args[1], bits);
  const result = e.binary(kind, a.value, b.value);
  // A remainder has the sign of the dividend, a quotient that of both.
  const sign = kind === 'rem_u' ? a.sign : e.binary('xor', a.sign, b.sign);
  e.binary('sub', e.binary('xor', result, sign), sign, instr.id);
}

function rotate(e: Emitter, instr: Instr & { op: 'binary' }): void {
  const [x, count] = instr.args;
  // Shifts take their count modulo the width, so the negative count is the complement.
  const back = e.binary('sub', e.constant(0n), count);
  const [one, other]: [BinaryOp, BinaryOp] =
    instr.kind === 'rotl' ? ['shl', 'shr_u'] : ['shr_u', 'shl'];
  e.binary('or', e.binary(one, x, count), e.binary(other, x, back), instr.id);
}

/** Every byte of the width filled with `byte`. */
function fill(byte: number, type: Type): bigint {
  return (0x0101010101010101n * BigInt(byte)) & maskOf(type);
}

function populationCount(e: Emitter, x: ValueId, type: Type, id?: ValueId): ValueId {
  const pairs = e.binary('sub', x, e.by('and', e.by('shr_u', x, 1n), fill(0x55, type)));
  const high = e.by('and', e.by('shr_u', pairs, 2n), fill(0x33, type));
  const nibbles = e.binary('add', e.by('and', pairs, fill(0x33, type)), high);
  const bytes = e.by('and', e.binary('add', nibbles, e.by('shr_u', nibbles, 4n)), fill(0x0f, type));
  const sum = e.by('mul', bytes, fill(1, type));
  return e.binary('shr_u', sum, e.constant(BigInt(bitsOf(type) - 8)), id);
}

function expandUnary(e: Emitter, instr: Instr & { op: 'unary' }): boolean {
  const [x] = instr.args;
  const { type, id } = instr;
  if (instr.kind === 'popcnt') populationCount(e, x, type, id);
  else if (instr.kind === 'ctz') {
    const lowest = e.binary('and', x, e.binary('sub', e.constant(0n), x));
    populationCount(e, e.by('sub', lowest, 1n), type, id);
  } else if (instr.kind === 'clz') {
    let filled = x;
    for (let shift = 1; shift < bitsOf(type); shift *= 2) {
      filled = e.binary('or', filled, e.by('shr_u', filled, BigInt(shift)));
    }
    populationCount(e, e.by('xor', filled, maskOf(type)), type, id);
  } else return false;
  return true;
}

/** Expands operations that eBPF lacks. */
export function expandArithmetic(func: Func): boolean {
  let changed = false;
  for (const block of func.blocks) {
    const out: Instr[] = [];
    for (const instr of block.instrs) {
      const e = new Emitter(func, out, instr.type, instr.loc);
      let done = false;
      if (instr.op === 'binary') {
        const { kind } = instr;
        done = kind === 'div_s' || kind === 'rem_s' || kind === 'rotl' || kind === 'rotr';
        if (kind === 'div_s') signedDivision(e, 'div_u', instr);
        else if (kind === 'rem_s') signedDivision(e, 'rem_u', instr);
        else if (done) rotate(e, instr);
      } else if (instr.op === 'unary') done = expandUnary(e, instr);
      if (!done) out.push(instr);
      changed ||= done;
    }
    block.instrs = out;
  }
  return changed;
}
