/**
 * eBPF instructions as plain values (RFC 9669, ISA v3 and may_goto). Registers may still be virtual,
 * jumps name labels and calls name symbols; both become numbers in encode, and nowhere else.
 */
declare const brand: unique symbol;
/** A machine register 0..10, or a virtual one from FIRST_VIRTUAL up (before allocation). */
export type Reg = number & { readonly [brand]: 'Reg' };
/** A place to jump to; labels are numbers chosen by whoever makes the code. */
export type Label = number & { readonly [brand]: 'Label' };
/** A unit of 8 bytes; `lddw` takes two. Jump offsets and BTF line records count these. */
export type Slot = number & { readonly [brand]: 'Slot' };
/** A place in an array of instructions. */
export type InsnIndex = number & { readonly [brand]: 'InsnIndex' };

export const R0: Reg = 0 as Reg;
export const R1: Reg = 1 as Reg;
export const R2: Reg = 2 as Reg;
export const R3: Reg = 3 as Reg;
export const R4: Reg = 4 as Reg;
export const R5: Reg = 5 as Reg;
export const R6: Reg = 6 as Reg;
export const R7: Reg = 7 as Reg;
export const R8: Reg = 8 as Reg;
export const R9: Reg = 9 as Reg;
/** The frame pointer; read-only. */
export const FP: Reg = 10 as Reg;
export const FIRST_VIRTUAL = 16;

/** True for a register that allocation must still replace. */
export function isVirtual(reg: Reg): boolean {
  return reg >= FIRST_VIRTUAL;
}

export type Width = 32 | 64;
export type Size = 1 | 2 | 4 | 8;
export type AluKind =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'or'
  | 'and'
  | 'lsh'
  | 'rsh'
  | 'mod'
  | 'xor'
  | 'mov'
  | 'arsh';
export type JumpKind =
  | 'eq'
  | 'ne'
  | 'gt'
  | 'ge'
  | 'lt'
  | 'le'
  | 'sgt'
  | 'sge'
  | 'slt'
  | 'sle'
  | 'set';

/** The second operand: a register or a 32-bit immediate, sign-extended where the operation is 64 bits wide. */
export type Operand = { readonly reg: Reg } | { readonly imm: number };

/** What a conditional jump asks. */
export interface Test {
  readonly kind: JumpKind;
  readonly width: Width;
  readonly left: Reg;
  readonly right: Operand;
}

export type Insn =
  | {
      readonly op: 'alu';
      readonly kind: AluKind;
      readonly width: Width;
      readonly dst: Reg;
      readonly src: Operand;
    }
  | { readonly op: 'neg'; readonly width: Width; readonly dst: Reg }
  /** To big-endian (or little-endian) of the low bits; the rest becomes zero. */
  | {
      readonly op: 'swap';
      readonly order: 'be' | 'le';
      readonly bits: 16 | 32 | 64;
      readonly dst: Reg;
    }
  | {
      readonly op: 'load';
      readonly size: Size;
      readonly dst: Reg;
      readonly base: Reg;
      readonly offset: number;
    }
  | {
      readonly op: 'store';
      readonly size: Size;
      readonly base: Reg;
      readonly offset: number;
      readonly src: Operand;
    }
  /** Puts `reg` at `base + offset`, 8 bytes, and what was there into `reg`, as one step for all CPUs. */
  | { readonly op: 'xchg'; readonly base: Reg; readonly offset: number; readonly reg: Reg }
  | { readonly op: 'lddw'; readonly dst: Reg; readonly value: bigint }
  /** lddw of the address `symbol + addend`, by relocation. */
  | { readonly op: 'address'; readonly dst: Reg; readonly symbol: string; readonly addend: number }
  /** lddw of a function's address, by relocation. */
  | { readonly op: 'function'; readonly dst: Reg; readonly symbol: string }
  | { readonly op: 'jump'; readonly to: Label }
  | { readonly op: 'branch'; readonly test: Test; readonly to: Label }
  | { readonly op: 'may_goto'; readonly to: Label }
  /** Call of a global function by relocation; reads R1..R<args>, clobbers R0..R5. */
  | { readonly op: 'call'; readonly symbol: string; readonly args: number }
  /** Call of one of the kernel's helpers; reads R1..R<args>, clobbers R0..R5. */
  | { readonly op: 'helper'; readonly id: number; readonly args: number }
  | { readonly op: 'exit' };

interface AluFamily {
  readonly reg: (dst: Reg, src: Reg) => Insn;
  readonly imm: (dst: Reg, value: number) => Insn;
}
function family(kind: AluKind, width: Width): AluFamily {
  return {
    reg: (dst, src) => ({ op: 'alu', kind, width, dst, src: { reg: src } }),
    imm: (dst, value) => ({ op: 'alu', kind, width, dst, src: { imm: value } }),
  };
}
export const add: AluFamily = family('add', 64);
export const mov: AluFamily = family('mov', 64);
export const mov32: AluFamily = family('mov', 32);
export const lsh: AluFamily = family('lsh', 64);
export const rsh: AluFamily = family('rsh', 64);
export const arsh: AluFamily = family('arsh', 64);

/** `dst kind= src`, for kinds that are only known at run time. */
export function alu(kind: AluKind, width: Width, dst: Reg, src: Operand): Insn {
  return { op: 'alu', kind, width, dst, src };
}
/** `dst = be<bits> dst`: on a little-endian machine a byte swap. */
export function toBigEndian(dst: Reg, bits: 16 | 32 | 64): Insn {
  return { op: 'swap', order: 'be', bits, dst };
}
/** `dst = *(size *)(base + offset)`, zero-extended. */
export function load(size: Size, dst: Reg, base: Reg, offset: number): Insn {
  return { op: 'load', size, dst, base, offset };
}
/** `*(size *)(base + offset) = src`. */
export function store(size: Size, base: Reg, offset: number, src: Operand): Insn {
  return { op: 'store', size, base, offset, src };
}
/** `reg = xchg_64(base + offset, reg)`. */
export function xchg(base: Reg, offset: number, reg: Reg): Insn {
  return { op: 'xchg', base, offset, reg };
}
/** `dst = value ll`. */
export function lddw(dst: Reg, value: bigint): Insn {
  return { op: 'lddw', dst, value: BigInt.asUintN(64, value) };
}
/** `dst = symbol + addend ll`. */
export function address(dst: Reg, symbol: string, addend: number): Insn {
  return { op: 'address', dst, symbol, addend };
}
/** `dst = function ll`. */
export function functionAddress(dst: Reg, symbol: string): Insn {
  return { op: 'function', dst, symbol };
}
/** `goto to`. */
export function jump(to: Label): Insn {
  return { op: 'jump', to };
}
/** `if test goto to`. */
export function branch(test: Test, to: Label): Insn {
  return { op: 'branch', test, to };
}
/** `may_goto to`. */
export function mayGoto(to: Label): Insn {
  return { op: 'may_goto', to };
}
/** `call symbol`. */
export function call(symbol: string, args: number): Insn {
  return { op: 'call', symbol, args };
}
/** `call helper#id`. */
export function helper(id: number, args: number): Insn {
  return { op: 'helper', id, args };
}
/** `exit`. */
export function exit(): Insn {
  return { op: 'exit' };
}

/** The test that holds exactly where this one does not; null for `set`, which has no opposite. */
export function negate(test: Test): Test | null {
  const kind = NEGATED[test.kind];
  return kind === null ? null : { ...test, kind };
}
const NEGATED: Readonly<Record<JumpKind, JumpKind | null>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  le: 'gt',
  ge: 'lt',
  lt: 'ge',
  sgt: 'sle',
  sle: 'sgt',
  sge: 'slt',
  slt: 'sge',
  set: null,
};
