/**
 * Bytes back to instructions, for reading and for the tests: decode(encode(code)) = code, with
 * labels numbered by the slot they stand at. Anything that encode never makes is refused.
 */

import type { Code, Relocation } from './encode.js';
import type {
  AluKind,
  Insn,
  InsnIndex,
  JumpKind,
  Label,
  Operand,
  Reg,
  Size,
  Slot,
} from './insn.js';
import {
  ALU_CODE,
  CALL_CODE,
  CLASS,
  END_CODE,
  EXIT_CODE,
  JA_CODE,
  JCOND_CODE,
  JUMP_CODE,
  MODE_ATOMIC,
  NEG_CODE,
  SIZE_CODE,
  SOURCE_REG,
  XCHG,
} from './opcode.js';

export type Decoded =
  | { readonly ok: true; readonly code: Code }
  | { readonly ok: false; readonly slot: Slot };

interface Raw {
  readonly opcode: number;
  readonly dst: Reg;
  readonly src: Reg;
  readonly offset: number;
  readonly imm: number;
  readonly high: number;
  readonly slot: Slot;
  readonly symbol: string | null;
}

function invert<K extends string>(table: Readonly<Record<K, number>>): ReadonlyMap<number, K> {
  return new Map((Object.entries(table) as [K, number][]).map(([key, value]) => [value, key]));
}
const ALU_KIND: ReadonlyMap<number, AluKind> = invert(ALU_CODE);
const JUMP_KIND: ReadonlyMap<number, JumpKind> = invert(JUMP_CODE);
const SIZE = new Map<number, Size>(
  Object.entries(SIZE_CODE).map(([key, value]) => [value, Number(key) as Size]),
);

/** Decodes; `ok: false` names the slot that is no instruction of ours. */
export function decode(bytes: Uint8Array, relocations: readonly Relocation[] = []): Decoded {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const symbols = new Map(relocations.map((r) => [r.slot, r.symbol]));
  const insns: Insn[] = [];
  const starts = new Map<number, InsnIndex>();
  for (let slot = 0; slot * 8 < bytes.length; slot++) {
    const raw = readSlot(view, slot as Slot, symbols.get(slot as Slot) ?? null);
    const insn = insnOf(raw);
    if (insn === null) return { ok: false, slot: slot as Slot };
    starts.set(slot, insns.length as InsnIndex);
    insns.push(insn);
    if (raw.opcode === WIDE) slot++;
  }
  starts.set(bytes.length / 8, insns.length as InsnIndex);
  const labels = new Map<Label, InsnIndex>();
  for (const insn of insns) {
    if (!('to' in insn)) continue;
    const index = starts.get(insn.to);
    if (index === undefined) return { ok: false, slot: Number(insn.to) as Slot };
    labels.set(insn.to, index);
  }
  return { ok: true, code: { insns, labels } };
}

const WIDE = CLASS.ld | SIZE_CODE[8];

function readSlot(view: DataView, slot: Slot, symbol: string | null): Raw {
  const at = slot * 8;
  const regs = view.getUint8(at + 1);
  return {
    opcode: view.getUint8(at),
    dst: (regs & 15) as Reg,
    src: (regs >> 4) as Reg,
    offset: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
    high: at + 16 <= view.byteLength ? view.getUint32(at + 12, true) : 0,
    slot,
    symbol,
  };
}

function insnOf(raw: Raw): Insn | null {
  const kind = raw.opcode & 7;
  if (kind === CLASS.alu || kind === CLASS.alu64) return aluOf(raw, kind === CLASS.alu64);
  if (kind === CLASS.jmp || kind === CLASS.jmp32) return jumpOf(raw, kind === CLASS.jmp);
  if (raw.opcode === WIDE) return wideOf(raw);
  if (raw.opcode === (CLASS.stx | MODE_ATOMIC | SIZE_CODE[8])) {
    if (raw.imm !== XCHG) return null;
    return { op: 'xchg', base: raw.dst, offset: raw.offset, reg: raw.src };
  }
  const size = SIZE.get(raw.opcode & 0x18);
  if ((raw.opcode & 0xe0) !== 0x60 || size === undefined) return null;
  if (kind === CLASS.ldx) {
    return { op: 'load', size, dst: raw.dst, base: raw.src, offset: raw.offset };
  }
  if (kind !== CLASS.st && kind !== CLASS.stx) return null;
  const src: Operand = kind === CLASS.stx ? { reg: raw.src } : { imm: raw.imm };
  return { op: 'store', size, base: raw.dst, offset: raw.offset, src };
}

function wideOf(raw: Raw): Insn {
  if (raw.symbol !== null) {
    return { op: 'address', dst: raw.dst, symbol: raw.symbol, addend: raw.imm };
  }
  const value = (BigInt(raw.high) << 32n) | BigInt.asUintN(32, BigInt(raw.imm));
  return { op: 'lddw', dst: raw.dst, value };
}

function second(raw: Raw): Operand {
  return raw.opcode & SOURCE_REG ? { reg: raw.src } : { imm: raw.imm };
}

function aluOf(raw: Raw, wide: boolean): Insn | null {
  const code = raw.opcode & 0xf0;
  const width = wide ? 64 : 32;
  if (code === NEG_CODE) return { op: 'neg', width, dst: raw.dst };
  if (code === END_CODE && !wide) {
    if (raw.imm !== 16 && raw.imm !== 32 && raw.imm !== 64) return null;
    const order = raw.opcode & SOURCE_REG ? 'be' : 'le';
    return { op: 'swap', order, bits: raw.imm, dst: raw.dst };
  }
  const kind = ALU_KIND.get(code);
  return kind === undefined ? null : { op: 'alu', kind, width, dst: raw.dst, src: second(raw) };
}

function jumpOf(raw: Raw, wide: boolean): Insn | null {
  const code = raw.opcode & 0xf0;
  const to = (raw.slot + raw.offset + 1) as Label;
  if (wide && code === EXIT_CODE) return { op: 'exit' };
  if (wide && code === JA_CODE) return { op: 'jump', to };
  if (wide && code === JCOND_CODE) return { op: 'may_goto', to };
  if (wide && code === CALL_CODE) {
    // How many arguments are read is not in the bytes: five is what the callee may read.
    return { op: 'call', symbol: raw.symbol ?? `#${raw.imm}`, args: 5 };
  }
  const kind = JUMP_KIND.get(code);
  if (kind === undefined) return null;
  const test = { kind, width: wide ? 64 : 32, left: raw.dst, right: second(raw) } as const;
  return { op: 'branch', test, to };
}
