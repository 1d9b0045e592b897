/** WASM's integer operations by name, as the shape that the IR has for them. */
import type { IntType, LoadSize } from '../ir/index.js';

export interface NumericOp {
  readonly shape: 'binary' | 'compare' | 'eqz' | 'unary' | 'convert';
  readonly kind: string;
  /** Of the result; of the operands for compare and eqz. */
  readonly type: IntType;
}

const BINARY = 'add sub mul div_u div_s rem_u rem_s and or xor shl shr_u shr_s rotl rotr'.split(
  ' ',
);
const COMPARE = 'eq ne lt_u lt_s gt_u gt_s le_u le_s ge_u ge_s'.split(' ');
const UNARY = 'clz ctz popcnt extend8_s extend16_s'.split(' ');

function numeric(): Map<string, NumericOp> {
  const ops = new Map<string, NumericOp>();
  for (const type of ['i32', 'i64'] as const) {
    for (const kind of BINARY) ops.set(`${type}.${kind}`, { shape: 'binary', kind, type });
    for (const kind of COMPARE) ops.set(`${type}.${kind}`, { shape: 'compare', kind, type });
    for (const kind of UNARY) ops.set(`${type}.${kind}`, { shape: 'unary', kind, type });
    ops.set(`${type}.eqz`, { shape: 'eqz', kind: 'eq', type });
  }
  ops.set('i64.extend32_s', { shape: 'unary', kind: 'extend32_s', type: 'i64' });
  ops.set('i64.extend_i32_u', { shape: 'convert', kind: 'extend_u', type: 'i64' });
  ops.set('i64.extend_i32_s', { shape: 'convert', kind: 'extend_s', type: 'i64' });
  ops.set('i32.wrap_i64', { shape: 'convert', kind: 'wrap', type: 'i32' });
  return ops;
}
export const NUMERIC: ReadonlyMap<string, NumericOp> = numeric();

export interface LoadOp {
  readonly type: IntType;
  readonly size: LoadSize;
  readonly signed: boolean;
}
export const LOADS: ReadonlyMap<string, LoadOp> = new Map<string, LoadOp>([
  ['i32.load', { type: 'i32', size: 4, signed: false }],
  ['i64.load', { type: 'i64', size: 8, signed: false }],
  ...(['i32', 'i64'] as const).flatMap((type): [string, LoadOp][] => [
    [`${type}.load8_u`, { type, size: 1, signed: false }],
    [`${type}.load8_s`, { type, size: 1, signed: true }],
    [`${type}.load16_u`, { type, size: 2, signed: false }],
    [`${type}.load16_s`, { type, size: 2, signed: true }],
  ]),
  ['i64.load32_u', { type: 'i64', size: 4, signed: false }],
  ['i64.load32_s', { type: 'i64', size: 4, signed: true }],
]);

/** Bytes that a store of an integer writes. */
export const STORE_SIZES: ReadonlyMap<string, LoadSize> = new Map<string, LoadSize>([
  ['i32.store', 4],
  ['i64.store', 8],
  ['i32.store8', 1],
  ['i32.store16', 2],
  ['i64.store8', 1],
  ['i64.store16', 2],
  ['i64.store32', 4],
]);

/** Operations that write memory, with their number of operands. */
export const STORES: ReadonlyMap<string, number> = new Map([
  ['i32.store', 2],
  ['i64.store', 2],
  ['f32.store', 2],
  ['f64.store', 2],
  ['i32.store8', 2],
  ['i32.store16', 2],
  ['i64.store8', 2],
  ['i64.store16', 2],
  ['i64.store32', 2],
  ['memory.copy', 3],
  ['memory.fill', 3],
  ['memory.init', 3],
]);
