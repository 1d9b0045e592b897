/** Assembly as text, in the manner of the kernel's and LLVM's disassemblers. */
import { unreachable } from '../../diagnostic/index.js';
import type { Code } from './encode.js';
import { slotsOf } from './encode.js';
import type {
  AluKind,
  Insn,
  InsnIndex,
  JumpKind,
  Label,
  Operand,
  Reg,
  Size,
  Test,
} from './insn.js';

const ALU_SIGN: Readonly<Record<AluKind, string>> = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  or: '|=',
  and: '&=',
  lsh: '<<=',
  rsh: '>>=',
  mod: '%=',
  xor: '^=',
  mov: '=',
  arsh: 's>>=',
};
const JUMP_SIGN: Readonly<Record<JumpKind, string>> = {
  eq: '==',
  ne: '!=',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  sgt: 's>',
  sge: 's>=',
  slt: 's<',
  sle: 's<=',
  set: '&',
};
const SIZE_NAME: Readonly<Record<Size, string>> = { 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' };

function register(reg: Reg, width: 32 | 64 = 64): string {
  return `${width === 64 ? 'r' : 'w'}${reg}`;
}
function operand(value: Operand, width: 32 | 64): string {
  return 'reg' in value ? register(value.reg, width) : String(value.imm);
}
function place(base: Reg, offset: number): string {
  return `(${register(base)} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
}

/** A test as text: `w1 s< 5`. */
export function printTest(test: Test): string {
  const right = operand(test.right, test.width);
  return `${register(test.left, test.width)} ${JUMP_SIGN[test.kind]} ${right}`;
}

/** One instruction as text; `name` says what a label is called. */
export function printInsn(insn: Insn, name: (label: Label) => string = String): string {
  switch (insn.op) {
    case 'alu':
      return `${register(insn.dst, insn.width)} ${ALU_SIGN[insn.kind]} ${operand(insn.src, insn.width)}`;
    case 'neg':
      return `${register(insn.dst, insn.width)} = -${register(insn.dst, insn.width)}`;
    case 'swap':
      return `${register(insn.dst)} = ${insn.order}${insn.bits} ${register(insn.dst)}`;
    case 'load':
      return `${register(insn.dst)} = *(${SIZE_NAME[insn.size]} *)${place(insn.base, insn.offset)}`;
    case 'store':
      return `*(${SIZE_NAME[insn.size]} *)${place(insn.base, insn.offset)} = ${operand(insn.src, 64)}`;
    case 'xchg':
      return `${register(insn.reg)} = xchg_64${place(insn.base, insn.offset)}`;
    case 'lddw':
      return `${register(insn.dst)} = 0x${insn.value.toString(16)} ll`;
    case 'address':
      return `${register(insn.dst)} = ${insn.symbol} + ${insn.addend} ll`;
    case 'function':
      return `${register(insn.dst)} = function ${insn.symbol} ll`;
    case 'helper':
      return `call helper#${insn.id}`;
    case 'jump':
      return `goto ${name(insn.to)}`;
    case 'branch':
      return `if ${printTest(insn.test)} goto ${name(insn.to)}`;
    case 'may_goto':
      return `may_goto ${name(insn.to)}`;
    case 'call':
      return `call ${insn.symbol}`;
    case 'exit':
      return 'exit';
    default:
      return unreachable(insn, 'instruction');
  }
}

/** Code as text with slot numbers and labels; `comment` gives what to print above an instruction. */
export function printCode(
  code: Code,
  comment: (index: InsnIndex) => string | null = () => null,
): string {
  const names = labelNames(code);
  const lines: string[] = [];
  let slot = 0;
  for (const [index, insn] of code.insns.entries()) {
    const label = names.at.get(index);
    if (label !== undefined) lines.push(`${label}:`);
    const text = comment(index as InsnIndex);
    if (text !== null) lines.push(`; ${text}`);
    const name = (to: Label): string => names.of.get(to) ?? `?${to}`;
    lines.push(`${String(slot).padStart(6)}: ${printInsn(insn, name)}`);
    slot += slotsOf(insn);
  }
  return `${lines.join('\n')}\n`;
}

/** Labels are called L1, L2, ... in the order in which they stand; unused ones get no name. */
function labelNames(code: Code): { at: Map<number, string>; of: Map<Label, string> } {
  const used = new Set(code.insns.flatMap((insn) => ('to' in insn ? [insn.to] : [])));
  const at = new Map<number, string>();
  const of = new Map<Label, string>();
  for (const [label, index] of [...code.labels].sort((a, b) => a[1] - b[1])) {
    if (!used.has(label)) continue;
    const name = at.get(index) ?? `L${at.size + 1}`;
    at.set(index, name);
    of.set(label, name);
  }
  return { at, of };
}
