/** Arithmetic to ALU instructions. BPF's are two-operand: `dst = a; dst op= b`. */
import { BugError } from '../../diagnostic/index.js';
import type { BinaryOp, Instr, UnaryOp, ValueId } from '../../ir/types.js';
import { type AluKind, alu, mov, mov32, type Reg, toBigEndian } from '../asm/index.js';
import { regOfValue } from '../lir.js';
import type { Selector } from './selector.js';

type Expanded = 'div_s' | 'rem_s' | 'rotl' | 'rotr';
const ALU: Readonly<Record<Exclude<BinaryOp, Expanded>, AluKind>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div_u: 'div',
  rem_u: 'mod',
  and: 'and',
  or: 'or',
  xor: 'xor',
  shl: 'lsh',
  shr_u: 'rsh',
  shr_s: 'arsh',
};
const COMMUTATIVE: ReadonlySet<BinaryOp> = new Set(['add', 'mul', 'and', 'or', 'xor']);
const SHIFTS: ReadonlySet<BinaryOp> = new Set(['shl', 'shr_u', 'shr_s']);
const DIVISIONS: ReadonlySet<BinaryOp> = new Set(['div_u', 'rem_u']);

function aluKind(kind: BinaryOp): AluKind {
  if (kind === 'div_s' || kind === 'rem_s' || kind === 'rotl' || kind === 'rotr') {
    throw new BugError(`${kind} should have been expanded before lowering`);
  }
  return ALU[kind];
}

export function binary(s: Selector, instr: Extract<Instr, { op: 'binary' }>): void {
  const dst = regOfValue(instr.id);
  const width = instr.type === 'i32' ? 32 : 64;
  const kind = aluKind(instr.kind);
  const [left, right] = ordered(s, instr);
  const constant = s.constant(right);
  if (constant !== null && SHIFTS.has(instr.kind)) {
    // Kernels refuse constant counts of the width or more ("invalid shift").
    const count = Number(constant & BigInt(width - 1));
    s.moveTo(dst, left);
    s.emit(alu(kind, width, dst, { imm: count }));
  } else if (constant === 0n && DIVISIONS.has(instr.kind)) {
    // Only in code that never runs; kernels refuse an immediate 0 even there.
    const zero = s.scratch();
    s.loadConstant(zero, 0n);
    s.moveTo(dst, left);
    s.emit(alu(kind, width, dst, { reg: zero }));
  } else {
    const operand = s.operand(right, width);
    s.moveTo(dst, left);
    s.emit(alu(kind, width, dst, operand));
  }
}

/** Puts a constant last and, of two registers, the one that dies here first. */
function ordered(
  s: Selector,
  instr: Extract<Instr, { op: 'binary' }>,
): readonly [ValueId, ValueId] {
  const [left, right] = instr.args;
  if (!COMMUTATIVE.has(instr.kind) || s.constant(right) !== null) return [left, right];
  const swap = s.constant(left) !== null || (s.usesOf(right) === 1 && s.usesOf(left) > 1);
  return swap ? [right, left] : [left, right];
}

const EXTEND_BITS: Readonly<Record<'extend8_s' | 'extend16_s' | 'extend32_s', number>> = {
  extend8_s: 8,
  extend16_s: 16,
  extend32_s: 32,
};
const SWAP_BITS: Readonly<Record<'bswap16' | 'bswap32' | 'bswap64', 16 | 32 | 64>> = {
  bswap16: 16,
  bswap32: 32,
  bswap64: 64,
};

function isExtend(kind: UnaryOp): kind is keyof typeof EXTEND_BITS {
  return kind in EXTEND_BITS;
}
function isSwap(kind: UnaryOp): kind is keyof typeof SWAP_BITS {
  return kind in SWAP_BITS;
}

export function unary(s: Selector, instr: Extract<Instr, { op: 'unary' }>): void {
  const dst = regOfValue(instr.id);
  const { kind } = instr;
  s.moveTo(dst, instr.args[0]);
  if (isSwap(kind)) s.emit(toBigEndian(dst, SWAP_BITS[kind]));
  else if (isExtend(kind)) signExtend(s, dst, EXTEND_BITS[kind], instr.type === 'i32' ? 32 : 64);
  else throw new BugError(`${kind} should have been expanded before lowering`);
}

/** By two shifts: sign-extending moves exist only from ISA v4 on. */
export function signExtend(s: Selector, dst: Reg, bits: number, width: 32 | 64): void {
  const count = width - bits;
  if (count === 0) return;
  s.emit(alu('lsh', width, dst, { imm: count }));
  s.emit(alu('arsh', width, dst, { imm: count }));
}

export function convert(
  s: Selector,
  instr: Extract<Instr, { op: 'extend_u' | 'extend_s' | 'wrap' }>,
): void {
  const dst = regOfValue(instr.id);
  const constant = s.constant(instr.args[0]);
  if (instr.op === 'wrap') {
    if (constant === null) s.emit(mov32.reg(dst, regOfValue(instr.args[0])));
    else s.loadConstant(dst, constant & 0xffffffffn);
    return;
  }
  // INVARIANT: an i32 is zero-extended already.
  if (constant === null) s.emit(mov.reg(dst, regOfValue(instr.args[0])));
  else s.loadConstant(dst, constant);
  if (instr.op === 'extend_s') signExtend(s, dst, 32, 64);
}
