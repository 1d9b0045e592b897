/**
 * Machine code before and after register allocation: blocks of instructions over virtual registers,
 * not SSA any more (block parameters became copies). A block may leave early through a trap exit:
 * a `branch` or `may_goto` inside `steps`.
 *
 * INVARIANT: trap exits read no register, so that nothing need be live on the way to them.
 */
import type { Loc } from '../ir/types.js';
import {
  FIRST_VIRTUAL,
  type Insn,
  type Label,
  type Reg,
  type Test,
  testUses,
} from './asm/index.js';

export interface Step {
  readonly insn: Insn;
  readonly loc: Loc;
}
export type Exit = { readonly loc: Loc } & (
  | { readonly op: 'goto'; readonly to: Label }
  | { readonly op: 'if'; readonly test: Test; readonly yes: Label; readonly no: Label }
  | { readonly op: 'exit' }
);
export interface LirBlock {
  steps: Step[];
  exit: Exit;
}
export interface LirFunc {
  readonly name: string;
  /** Indexed by label; blocks[0] is the entry. */
  readonly blocks: LirBlock[];
  /** The next free virtual register. */
  nextReg: number;
  /** Registers with lives so short that storing them would gain nothing (and upset the verifier). */
  readonly unspillable: Set<Reg>;
  /** True where a bound that is not tested holds only as long as no register is spilled. */
  trustsCopies: boolean;
  /** Words of the context of its loops, at the top of its stack. */
  contextWords: number;
}

/** A new virtual register. */
export function freshReg(func: LirFunc): Reg {
  return func.nextReg++ as Reg;
}

/** The virtual register of an SSA value. */
export function regOfValue(value: number): Reg {
  return (value + FIRST_VIRTUAL) as Reg;
}

/** Labels that control may go to from a block, trap exits included. */
export function successorsOf(block: LirBlock): Label[] {
  const side = block.steps.flatMap(({ insn }) => ('to' in insn ? [insn.to] : []));
  return [...side, ...exitLabels(block.exit)];
}

/** Labels at the end of a block. */
export function exitLabels(exit: Exit): Label[] {
  if (exit.op === 'goto') return [exit.to];
  return exit.op === 'if' ? [exit.yes, exit.no] : [];
}

/** Registers that a block's end reads; returning reads R0. */
export function exitUses(exit: Exit): Reg[] {
  if (exit.op === 'exit') return [0 as Reg];
  return exit.op === 'if' ? testUses(exit.test) : [];
}

/** Labels in reverse postorder from the entry; unreachable blocks are absent. */
export function reversePostorder(blocks: readonly LirBlock[]): Label[] {
  const order: Label[] = [];
  const seen = new Set<number>([0]);
  const stack: { label: Label; rest: Label[] }[] = [];
  const enter = (label: Label): void => {
    const block = blocks[label];
    stack.push({ label, rest: block === undefined ? [] : successorsOf(block) });
  };
  enter(0 as Label);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    // From the last, so that the first successor comes first in the result.
    const next = top.rest.pop();
    if (next === undefined) {
      order.push(top.label);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      enter(next);
    }
  }
  return order.reverse();
}
