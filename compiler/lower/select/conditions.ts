/** Conditions to jumps: compares with immediates, short-circuit trees, and bit tests. */
import { BugError } from '../../diagnostic/index.js';
import { swapped } from '../../ir/index.js';
import type { CompareOp, Instr, ValueId } from '../../ir/types.js';
import { type JumpKind, type Label, mov, type Test } from '../asm/index.js';
import { regOfValue } from '../lir.js';
import { zeroTested } from './fused-conditions.js';
import { fitsImmediate, type Selector } from './selector.js';

const JUMP: Readonly<Record<CompareOp, JumpKind>> = {
  eq: 'eq',
  ne: 'ne',
  lt_u: 'lt',
  lt_s: 'slt',
  gt_u: 'gt',
  gt_s: 'sgt',
  le_u: 'le',
  le_s: 'sle',
  ge_u: 'ge',
  ge_s: 'sge',
};
/** Ends the current block: to `yes` where the value is not 0, else to `no`. */
export function branchOn(s: Selector, value: ValueId, yes: Label, no: Label): void {
  const instr = s.def(value);
  if (instr !== null && isJumped(s, value)) {
    branchOnTree(s, instr, yes, no);
  } else {
    const test: Test = { kind: 'ne', width: 64, left: s.reg(value), right: { imm: 0 } };
    s.end({ op: 'if', test, yes, no, loc: s.loc });
  }
}

/** True where a value is never in a register, only asked for by jumps. */
export function isJumped(s: Selector, value: ValueId): boolean {
  return s.conditions.fused.has(value) || s.conditions.bitTests.has(value);
}

/** As branchOn, for the instruction that defines the condition. */
export function branchOnTree(s: Selector, instr: Instr, yes: Label, no: Label): void {
  if (instr.op === 'compare') {
    const tested = zeroTested(instr, (value) => s.constant(value));
    if (tested === null || !isJumped(s, tested)) {
      s.end({ op: 'if', test: testOf(s, instr.kind, ...instr.args), yes, no, loc: s.loc });
    } else if (instr.kind === 'eq') {
      branchOn(s, tested, no, yes);
    } else {
      branchOn(s, tested, yes, no);
    }
    return;
  }
  if (instr.op !== 'binary') throw new BugError(`${instr.op} is no condition`);
  if (!s.conditions.trees.has(instr.id)) {
    s.end({ op: 'if', test: setTest(s, ...instr.args), yes, no, loc: s.loc });
    return;
  }
  const second = s.newBlock();
  if (instr.kind === 'and') branchOn(s, instr.args[0], second, no);
  else branchOn(s, instr.args[0], yes, second);
  s.enter(second);
  branchOn(s, instr.args[1], yes, no);
}

function setTest(s: Selector, left: ValueId, right: ValueId): Test {
  const [a, b] = s.constant(left) === null ? [left, right] : [right, left];
  const wide = s.typeOf(a) === 'i64';
  const constant = s.constant(b);
  // A negative immediate would be sign-extended to bits that an i32 does not have.
  const width = wide || constant === null || constant < 0x80000000n ? 64 : 32;
  return { kind: 'set', width, left: s.reg(a), right: s.operand(b, width) };
}

/** The machine's form of a compare. i32 is unsigned in 64 bits; signed i32 has jumps of its own. */
export function testOf(s: Selector, kind: CompareOp, left: ValueId, right: ValueId): Test {
  const isCounted = s.counted.has(left) && !s.counted.has(right);
  if ((s.constant(left) !== null && s.constant(right) === null) || isCounted) {
    return testOf(s, swapped(kind), right, left);
  }
  const constant = s.constant(right);
  const narrow =
    s.typeOf(left) === 'i32' &&
    (kind.endsWith('_s') || (constant !== null && !fitsImmediate(constant)));
  const width = narrow ? 32 : 64;
  return { kind: JUMP[kind], width, left: s.reg(left), right: s.operand(right, width) };
}

/** `dst = condition ? 1 : 0` by one branch. */
export function materialise(s: Selector, instr: Instr): void {
  const dst = regOfValue(instr.id);
  const zero = s.newBlock();
  const done = s.newBlock();
  s.emit(mov.imm(dst, 1));
  branchOnTree(s, instr, done, zero);
  s.enter(zero);
  s.emit(mov.imm(dst, 0));
  s.end({ op: 'goto', to: done, loc: s.loc });
  s.enter(done);
}

/** `dst = condition ? a : b` by one branch. */
export function select(s: Selector, instr: Extract<Instr, { op: 'select' }>): void {
  const dst = regOfValue(instr.id);
  const [condition, yes, no] = instr.args;
  const other = s.newBlock();
  const done = s.newBlock();
  s.moveTo(dst, yes);
  branchOn(s, condition, done, other);
  s.enter(other);
  s.moveTo(dst, no);
  s.end({ op: 'goto', to: done, loc: s.loc });
  s.enter(done);
}
