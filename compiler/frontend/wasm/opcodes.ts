/**
 * Opcode table: name and immediates of every opcode that is decoded. Float opcodes are here so that a
 * refusal can name them; SIMD and atomics share one name each and end decoding of their function.
 */

/** What follows the opcode byte. */
export type ImmediateKind =
  | 'none'
  | 'block'
  | 'index'
  | 'labels'
  | 'memory'
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'two' // two indices (call_indirect, memory.copy, memory.init)
  | 'types'
  | 'heap';

export interface Opcode {
  readonly name: string;
  readonly immediate: ImmediateKind;
}

const entries: [number, string, ImmediateKind][] = [
  [0x00, 'unreachable', 'none'],
  [0x01, 'nop', 'none'],
  [0x02, 'block', 'block'],
  [0x03, 'loop', 'block'],
  [0x04, 'if', 'block'],
  [0x05, 'else', 'none'],
  [0x0b, 'end', 'none'],
  [0x0c, 'br', 'index'],
  [0x0d, 'br_if', 'index'],
  [0x0e, 'br_table', 'labels'],
  [0x0f, 'return', 'none'],
  [0x10, 'call', 'index'],
  [0x11, 'call_indirect', 'two'],
  [0x12, 'return_call', 'index'],
  [0x13, 'return_call_indirect', 'two'],
  [0x1a, 'drop', 'none'],
  [0x1b, 'select', 'none'],
  [0x1c, 'select_t', 'types'],
  [0x20, 'local.get', 'index'],
  [0x21, 'local.set', 'index'],
  [0x22, 'local.tee', 'index'],
  [0x23, 'global.get', 'index'],
  [0x24, 'global.set', 'index'],
  [0x25, 'table.get', 'index'],
  [0x26, 'table.set', 'index'],
  [0x3f, 'memory.size', 'index'],
  [0x40, 'memory.grow', 'index'],
  [0x41, 'i32.const', 'i32'],
  [0x42, 'i64.const', 'i64'],
  [0x43, 'f32.const', 'f32'],
  [0x44, 'f64.const', 'f64'],
  [0xd0, 'ref.null', 'heap'],
  [0xd1, 'ref.is_null', 'none'],
  [0xd2, 'ref.func', 'index'],
];

const MEMORY =
  'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32';
const PLAIN =
  'i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s';
MEMORY.split(' ').forEach((name, i) => {
  entries.push([0x28 + i, name, 'memory']);
});
PLAIN.split(' ').forEach((name, i) => {
  entries.push([0x45 + i, name, 'none']);
});

/** One-byte opcodes. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map(
  entries.map(([code, name, immediate]) => [code, { name, immediate }]),
);

const SATURATING =
  'i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u';
const BULK: [string, ImmediateKind][] = [
  ['memory.init', 'two'],
  ['data.drop', 'index'],
  ['memory.copy', 'two'],
  ['memory.fill', 'index'],
  ['table.init', 'two'],
  ['elem.drop', 'index'],
  ['table.copy', 'two'],
  ['table.grow', 'index'],
  ['table.size', 'index'],
  ['table.fill', 'index'],
];

/** Opcodes behind the prefix 0xfc. */
export const OPCODES_FC: ReadonlyMap<number, Opcode> = new Map<number, Opcode>([
  ...SATURATING.split(' ').map((name, i): [number, Opcode] => [i, { name, immediate: 'none' }]),
  ...BULK.map(([name, immediate], i): [number, Opcode] => [i + 8, { name, immediate }]),
]);

/** Prefixes of whole families that Weft does not decode. */
export const FAMILIES: ReadonlyMap<number, string> = new Map([
  [0xfb, 'gc'],
  [0xfd, 'simd'],
  [0xfe, 'atomic'],
]);
