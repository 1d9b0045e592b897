/**
 * Instructions to bytes. Labels are resolved here, last; what lies outside this code (images, other
 * functions) becomes a relocation. A jump that does not fit its 16 bits is refused, never cut.
 */
import { BugError, unreachable } from '../../diagnostic/index.js';
import {
  type Insn,
  type InsnIndex,
  isVirtual,
  type Label,
  type Operand,
  type Reg,
  type Slot,
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
  MODE_IMM,
  MODE_MEM,
  NEG_CODE,
  PSEUDO_CALL,
  SIZE_CODE,
  SOURCE_REG,
  XCHG,
} from './opcode.js';

export interface Relocation {
  readonly slot: Slot;
  readonly kind: 'address' | 'call' | 'function';
  readonly symbol: string;
}
export interface Code {
  readonly insns: readonly Insn[];
  /** Where each label stands: before the instruction of that index. */
  readonly labels: ReadonlyMap<Label, InsnIndex>;
}
export type Encoded =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      readonly relocations: readonly Relocation[];
      /** Slot of each instruction, and one more: the end. */
      readonly slots: readonly Slot[];
    }
  | { readonly ok: false; readonly at: InsnIndex; readonly distance: number };

interface Fields {
  readonly opcode: number;
  readonly dst?: Reg | undefined;
  readonly src?: number | undefined;
  readonly offset?: number | undefined;
  readonly imm?: number | undefined;
}

/** Slots that an instruction takes. */
export function slotsOf(insn: Insn): 1 | 2 {
  return insn.op === 'lddw' || insn.op === 'address' || insn.op === 'function' ? 2 : 1;
}

/** Encodes code; `ok: false` names the jump that is out of range. */
export function encode(code: Code): Encoded {
  const slots = slotTable(code.insns);
  const bytes = new Uint8Array((slots.at(-1) ?? 0) * 8);
  const view = new DataView(bytes.buffer);
  const relocations: Relocation[] = [];
  for (const [index, insn] of code.insns.entries()) {
    const slot = slots[index] as Slot;
    const to = 'to' in insn ? insn.to : null;
    const distance = to === null ? 0 : distanceTo(code, slots, to, slot);
    if (!fitsSigned(distance, 16)) return { ok: false, at: index as InsnIndex, distance };
    write(view, slot, { ...fieldsOf(insn), ...(to === null ? {} : { offset: distance }) });
    if (insn.op === 'lddw') view.setUint32(slot * 8 + 12, Number(insn.value >> 32n), true);
    if (insn.op === 'address') relocations.push({ slot, kind: 'address', symbol: insn.symbol });
    if (insn.op === 'function') relocations.push({ slot, kind: 'function', symbol: insn.symbol });
    if (insn.op === 'call') relocations.push({ slot, kind: 'call', symbol: insn.symbol });
  }
  return { ok: true, bytes, relocations, slots };
}

function slotTable(insns: readonly Insn[]): Slot[] {
  const slots: Slot[] = [];
  let slot = 0;
  for (const insn of insns) {
    slots.push(slot as Slot);
    slot += slotsOf(insn);
  }
  slots.push(slot as Slot);
  return slots;
}

function distanceTo(code: Code, slots: readonly Slot[], to: Label, from: Slot): number {
  const index = code.labels.get(to);
  const target = index === undefined ? undefined : slots[index];
  if (target === undefined) throw new BugError(`label ${to} stands nowhere`);
  return target - from - 1;
}

function fitsSigned(value: number, bits: number): boolean {
  return value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);
}

function write(view: DataView, slot: Slot, fields: Fields): void {
  const { dst = 0, src = 0, offset = 0, imm = 0 } = fields;
  if (isVirtual(dst as Reg) || isVirtual(src as Reg))
    throw new BugError('virtual register in code');
  if (!fitsSigned(offset, 16)) throw new BugError(`offset ${offset} does not fit 16 bits`);
  if (!fitsSigned(imm, 32)) throw new BugError(`immediate ${imm} does not fit 32 bits`);
  view.setUint8(slot * 8, fields.opcode);
  view.setUint8(slot * 8 + 1, dst | (src << 4));
  view.setInt16(slot * 8 + 2, offset, true);
  view.setInt32(slot * 8 + 4, imm, true);
}

function operand(value: Operand): { s: number; src?: number; imm?: number } {
  return 'reg' in value ? { s: SOURCE_REG, src: value.reg } : { s: 0, imm: value.imm };
}

function fieldsOf(insn: Insn): Fields {
  switch (insn.op) {
    case 'alu': {
      const { s, ...rest } = operand(insn.src);
      const base = insn.width === 64 ? CLASS.alu64 : CLASS.alu;
      return { opcode: base | s | ALU_CODE[insn.kind], dst: insn.dst, ...rest };
    }
    case 'neg':
      return { opcode: (insn.width === 64 ? CLASS.alu64 : CLASS.alu) | NEG_CODE, dst: insn.dst };
    case 'swap': {
      const s = insn.order === 'be' ? SOURCE_REG : 0;
      return { opcode: CLASS.alu | s | END_CODE, dst: insn.dst, imm: insn.bits };
    }
    case 'load': {
      const opcode = CLASS.ldx | MODE_MEM | SIZE_CODE[insn.size];
      return { opcode, dst: insn.dst, src: insn.base, offset: insn.offset };
    }
    case 'store': {
      const { s, ...rest } = operand(insn.src);
      const opcode = (s === 0 ? CLASS.st : CLASS.stx) | MODE_MEM | SIZE_CODE[insn.size];
      return { opcode, dst: insn.base, offset: insn.offset, ...rest };
    }
    case 'xchg': {
      const opcode = CLASS.stx | MODE_ATOMIC | SIZE_CODE[8];
      return { opcode, dst: insn.base, src: insn.reg, offset: insn.offset, imm: XCHG };
    }
    case 'lddw': {
      const imm = Number(BigInt.asIntN(32, insn.value));
      return { opcode: CLASS.ld | MODE_IMM | SIZE_CODE[8], dst: insn.dst, imm };
    }
    case 'address':
      return { opcode: CLASS.ld | MODE_IMM | SIZE_CODE[8], dst: insn.dst, imm: insn.addend };
    case 'function':
      return { opcode: CLASS.ld | MODE_IMM | SIZE_CODE[8], dst: insn.dst };
    case 'jump':
      return { opcode: CLASS.jmp | JA_CODE };
    case 'branch': {
      const { s, ...rest } = operand(insn.test.right);
      const base = insn.test.width === 64 ? CLASS.jmp : CLASS.jmp32;
      return { opcode: base | s | JUMP_CODE[insn.test.kind], dst: insn.test.left, ...rest };
    }
    case 'may_goto':
      return { opcode: CLASS.jmp | JCOND_CODE };
    case 'call':
      // The immediate that clang leaves for the linker: no addend.
      return { opcode: CLASS.jmp | CALL_CODE, src: PSEUDO_CALL, imm: -1 };
    case 'helper':
      return { opcode: CLASS.jmp | CALL_CODE, imm: insn.id };
    case 'exit':
      return { opcode: CLASS.jmp | EXIT_CODE };
    default:
      return unreachable(insn, 'instruction');
  }
}
