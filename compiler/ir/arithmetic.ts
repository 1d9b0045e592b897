/**
 * What each operation computes, on bit patterns: the one definition that the evaluator and constant
 * folding share. Values are 0..2^bits-1.
 */
import { unreachable } from '../diagnostic/index.js';
import type { BinaryOp, CompareOp, IntType, Type, UnaryOp } from './types.js';

export function bitsOf(type: Type): 32 | 64 {
  return type === 'i32' ? 32 : 64;
}
export function maskOf(type: Type): bigint {
  return type === 'i32' ? 0xffffffffn : 0xffffffffffffffffn;
}

/** Null where the operation is undefined: division by zero, or signed overflow of it. */
export function foldBinary(kind: BinaryOp, type: IntType, a: bigint, b: bigint): bigint | null {
  const bits = bitsOf(type);
  const cut = (value: bigint): bigint => BigInt.asUintN(bits, value);
  const count = b & BigInt(bits - 1);
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  switch (kind) {
    case 'add':
      return cut(a + b);
    case 'sub':
      return cut(a - b);
    case 'mul':
      return cut(a * b);
    case 'div_u':
      return b === 0n ? null : a / b;
    case 'rem_u':
      return b === 0n ? null : a % b;
    case 'div_s': {
      if (b === 0n) return null;
      const quotient = signed(a) / signed(b);
      return signed(cut(quotient)) === quotient ? cut(quotient) : null;
    }
    case 'rem_s':
      return b === 0n ? null : cut(signed(a) % signed(b));
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return cut(a << count);
    case 'shr_u':
      return a >> count;
    case 'shr_s':
      return cut(signed(a) >> count);
    case 'rotl':
      return cut((a << count) | (a >> (BigInt(bits) - count)));
    case 'rotr':
      return cut((a >> count) | (a << (BigInt(bits) - count)));
    default:
      return unreachable(kind);
  }
}

function swapBytes(value: bigint, bytes: number): bigint {
  let out = 0n;
  for (let i = 0; i < bytes; i++) out = (out << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return out;
}

/** Byte swaps take the low bytes and zero-extend, as BPF's do. */
export function foldUnary(kind: UnaryOp, type: IntType, a: bigint): bigint {
  const bits = bitsOf(type);
  switch (kind) {
    case 'extend8_s':
      return BigInt.asUintN(bits, BigInt.asIntN(8, a));
    case 'extend16_s':
      return BigInt.asUintN(bits, BigInt.asIntN(16, a));
    case 'extend32_s':
      return BigInt.asUintN(bits, BigInt.asIntN(32, a));
    case 'bswap16':
      return swapBytes(a, 2);
    case 'bswap32':
      return swapBytes(a, 4);
    case 'bswap64':
      return swapBytes(a, 8);
    case 'clz':
      return a === 0n ? BigInt(bits) : BigInt(bits - a.toString(2).length);
    case 'ctz': {
      if (a === 0n) return BigInt(bits);
      const text = a.toString(2);
      return BigInt(text.length - 1 - text.lastIndexOf('1'));
    }
    case 'popcnt':
      return BigInt(a.toString(2).replaceAll('0', '').length);
    default:
      return unreachable(kind);
  }
}

/** True where the comparison of two patterns of `type` holds. */
export function foldCompare(kind: CompareOp, type: Type, a: bigint, b: bigint): boolean {
  const bits = bitsOf(type);
  const [x, y] = kind.endsWith('_s') ? [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)] : [a, b];
  switch (kind) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt_u':
    case 'lt_s':
      return x < y;
    case 'gt_u':
    case 'gt_s':
      return x > y;
    case 'le_u':
    case 'le_s':
      return x <= y;
    case 'ge_u':
    case 'ge_s':
      return x >= y;
    default:
      return unreachable(kind);
  }
}

const INVERSE: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'ne',
  ne: 'eq',
  lt_u: 'ge_u',
  ge_u: 'lt_u',
  lt_s: 'ge_s',
  ge_s: 'lt_s',
  gt_u: 'le_u',
  le_u: 'gt_u',
  gt_s: 'le_s',
  le_s: 'gt_s',
};
/** The comparison that holds exactly where `kind` does not. */
export function inverse(kind: CompareOp): CompareOp {
  return INVERSE[kind];
}

const SWAPPED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'eq',
  ne: 'ne',
  lt_u: 'gt_u',
  gt_u: 'lt_u',
  lt_s: 'gt_s',
  gt_s: 'lt_s',
  le_u: 'ge_u',
  ge_u: 'le_u',
  le_s: 'ge_s',
  ge_s: 'le_s',
};
/** The comparison with its operands exchanged. */
export function swapped(kind: CompareOp): CompareOp {
  return SWAPPED[kind];
}

/** Little-endian bytes as a number, sign-extended to `type` where asked. */
export function readBytes(
  bytes: Uint8Array,
  at: number,
  size: number,
  signed: boolean,
  type: Type,
): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return signed ? BigInt.asUintN(bitsOf(type), BigInt.asIntN(size * 8, value)) : value;
}
