/** Which registers an instruction reads and writes, and how to rename them. */
import { unreachable } from '../../diagnostic/index.js';
import { type Insn, type Operand, R0, R1, R2, R3, R4, R5, type Reg, type Test } from './insn.js';

const ARGUMENTS: readonly Reg[] = [R1, R2, R3, R4, R5];
/** What a call destroys. */
export const CALL_CLOBBERED: readonly Reg[] = [R0, R1, R2, R3, R4, R5];

function operandUses(operand: Operand): Reg[] {
  return 'reg' in operand ? [operand.reg] : [];
}

/** Registers that a test reads. */
export function testUses(test: Test): Reg[] {
  return [test.left, ...operandUses(test.right)];
}

/** Registers that an instruction reads, in operand order. */
export function usesOf(insn: Insn): Reg[] {
  switch (insn.op) {
    case 'alu':
      return insn.kind === 'mov' ? operandUses(insn.src) : [insn.dst, ...operandUses(insn.src)];
    case 'neg':
    case 'swap':
      return [insn.dst];
    case 'load':
      return [insn.base];
    case 'store':
      return [insn.base, ...operandUses(insn.src)];
    case 'xchg':
      return [insn.base, insn.reg];
    case 'branch':
      return testUses(insn.test);
    case 'call':
    case 'helper':
      return ARGUMENTS.slice(0, insn.args);
    case 'exit':
      return [R0];
    case 'lddw':
    case 'address':
    case 'function':
    case 'jump':
    case 'may_goto':
      return [];
    default:
      return unreachable(insn, 'instruction');
  }
}

/** Registers that an instruction writes (a call: all that it destroys). */
export function defsOf(insn: Insn): readonly Reg[] {
  switch (insn.op) {
    case 'alu':
    case 'neg':
    case 'swap':
    case 'load':
    case 'lddw':
    case 'address':
    case 'function':
      return [insn.dst];
    case 'xchg':
      return [insn.reg];
    case 'call':
    case 'helper':
      return CALL_CLOBBERED;
    case 'store':
    case 'jump':
    case 'branch':
    case 'may_goto':
    case 'exit':
      return [];
    default:
      return unreachable(insn, 'instruction');
  }
}

type Rename = (reg: Reg) => Reg;

function renameOperand(operand: Operand, rename: Rename): Operand {
  return 'reg' in operand ? { reg: rename(operand.reg) } : operand;
}

/** A test with its registers renamed. */
export function renameTest(test: Test, rename: Rename): Test {
  return { ...test, left: rename(test.left), right: renameOperand(test.right, rename) };
}

/** An instruction with its registers renamed. */
export function renameInsn(insn: Insn, rename: Rename): Insn {
  switch (insn.op) {
    case 'alu':
      return { ...insn, dst: rename(insn.dst), src: renameOperand(insn.src, rename) };
    case 'load':
      return { ...insn, dst: rename(insn.dst), base: rename(insn.base) };
    case 'store':
      return { ...insn, base: rename(insn.base), src: renameOperand(insn.src, rename) };
    case 'xchg':
      return { ...insn, base: rename(insn.base), reg: rename(insn.reg) };
    case 'neg':
    case 'swap':
    case 'lddw':
    case 'address':
    case 'function':
      return { ...insn, dst: rename(insn.dst) };
    case 'branch':
      return { ...insn, test: renameTest(insn.test, rename) };
    case 'call':
    case 'helper':
    case 'jump':
    case 'may_goto':
    case 'exit':
      return insn;
    default:
      return unreachable(insn, 'instruction');
  }
}

/** `dst = src` between registers, all 64 bits; null for anything else. */
export function copyOf(insn: Insn): { readonly dst: Reg; readonly src: Reg } | null {
  if (insn.op !== 'alu' || insn.kind !== 'mov' || insn.width !== 64) return null;
  return 'reg' in insn.src ? { dst: insn.dst, src: insn.src.reg } : null;
}
