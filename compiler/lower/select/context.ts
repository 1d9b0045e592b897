/** Loops that are calls: the words that a function shares with the one of a turn, and the call of bpf_loop. */
import { BugError } from '../../diagnostic/index.js';
import type { Func, Instr } from '../../ir/types.js';
import {
  add,
  FP,
  functionAddress,
  helper,
  load,
  mov,
  R1,
  R2,
  R3,
  R4,
  type Reg,
  store,
} from '../asm/index.js';
import { regOfValue } from '../lir.js';
import type { Selector } from './selector.js';

/** bpf_loop(turns, function, context, flags), include/uapi/linux/bpf.h since 5.17. */
const BPF_LOOP = 181;
const WORD_BYTES = 8;

/** Words on the stack of a function for the turns of its loops; a turn has those of its caller. */
export function contextWords(func: Func): number {
  if (func.kind === 'turn') return 0;
  const words = func.blocks.flatMap((block) =>
    block.instrs.flatMap((instr) => (instr.op === 'context' ? [instr.word + 1] : [])),
  );
  return Math.max(0, ...words);
}

/** A word of the context, from or to a register. */
export function contextWord(s: Selector, instr: Extract<Instr, { op: 'context' }>): void {
  const { base, offset } = placeOf(s, instr.word);
  const [value] = instr.args;
  if (instr.kind === 'load') s.emit(load(8, regOfValue(instr.id), base, offset));
  else if (value !== undefined) s.emit(store(8, base, offset, s.operand(value, 64)));
}

function placeOf(s: Selector, word: number): { readonly base: Reg; readonly offset: number } {
  if (s.func.kind !== 'turn') {
    return { base: FP, offset: WORD_BYTES * (word - s.lir.contextWords) };
  }
  const context = s.func.params[1];
  if (context === undefined) throw new BugError(`turn ${s.func.name} has no context`);
  return { base: regOfValue(context.id), offset: WORD_BYTES * word };
}

/** The turns of a loop. */
export function callLoop(s: Selector, instr: Extract<Instr, { op: 'loop' }>): void {
  s.emit(mov.imm(R1, instr.rounds));
  s.emit(functionAddress(R2, instr.callee));
  s.emit(mov.imm(R3, -WORD_BYTES * s.lir.contextWords));
  s.emit(add.reg(R3, FP));
  s.emit(mov.imm(R4, 0));
  s.emit(helper(BPF_LOOP, 4));
}
