/**
 * Opcode numbers of RFC 9669, section 3 and 4 (and may_goto, which the RFC does not have yet).
 *
 * One instruction, 8 bytes, little-endian:
 *
 *    0        8    12    16              32                              64
 *   +--------+----+----+----------------+--------------------------------+
 *   | opcode |dst |src |     offset     |           immediate            |
 *   +--------+----+----+----------------+--------------------------------+
 *
 * Opcode of arithmetic and jumps, and of loads and stores:
 *
 *    7    4   3   2   0        7   5 4  3 2   0
 *   +------+---+------+       +-----+----+------+
 *   | code | S | class|       | mode| sz | class|
 *   +------+---+------+       +-----+----+------+
 */
import type { AluKind, JumpKind, Size } from './insn.js';

export const CLASS = {
  ld: 0x00,
  ldx: 0x01,
  st: 0x02,
  stx: 0x03,
  alu: 0x04,
  jmp: 0x05,
  jmp32: 0x06,
  alu64: 0x07,
} as const;
/** The S bit: the second operand is a register. */
export const SOURCE_REG = 0x08;
export const MODE_IMM = 0x00;
export const MODE_MEM = 0x60;
export const MODE_ATOMIC = 0xc0;
/** Immediate of an atomic exchange. */
export const XCHG = 0xe1;

export const ALU_CODE: Readonly<Record<AluKind, number>> = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
};
export const NEG_CODE = 0x80;
export const END_CODE = 0xd0;

export const JUMP_CODE: Readonly<Record<JumpKind, number>> = {
  eq: 0x10,
  gt: 0x20,
  ge: 0x30,
  set: 0x40,
  ne: 0x50,
  sgt: 0x60,
  sge: 0x70,
  lt: 0xa0,
  le: 0xb0,
  slt: 0xc0,
  sle: 0xd0,
};
export const JA_CODE = 0x00;
export const CALL_CODE = 0x80;
export const EXIT_CODE = 0x90;
/** BPF_JCOND, include/uapi/linux/bpf.h since 6.9. */
export const JCOND_CODE = 0xe0;

export const SIZE_CODE: Readonly<Record<Size, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** src of a call: BPF_PSEUDO_CALL, a call of another BPF function. */
export const PSEUDO_CALL = 1;
