/**
 * Pass    forward-slots
 * Reads   allocated code
 * Writes  the same without loads of slots whose value is still in a register: gone where it is the
 *         same register, a copy where it is another
 * Refuses nothing
 * Keeps   every value, and the slots
 */
import { defsOf, mov, type Reg } from '../asm/index.js';
import type { LirBlock, LirFunc, Step } from '../lir.js';
import { isSpillStep, type StackSlot } from './spill.js';

/** Forwards within each block, in place. */
export function forwardSlots(func: LirFunc): void {
  for (const block of func.blocks) block.steps = forwarded(block);
}

function forwarded(block: LirBlock): Step[] {
  const held = new Map<StackSlot, Reg>();
  const steps: Step[] = [];
  for (const step of block.steps) {
    const from = isSpillStep(step) && step.insn.op === 'load' ? held.get(step.slot) : undefined;
    const [to] = defsOf(step.insn);
    if (from === undefined) steps.push(step);
    else if (to !== undefined && to !== from) {
      steps.push({ insn: mov.reg(to, from), loc: step.loc });
    }
    if (from === undefined || from !== to) forget(held, defsOf(step.insn));
    if (isSpillStep(step)) note(held, step);
  }
  return steps;
}

function forget(held: Map<StackSlot, Reg>, written: readonly Reg[]): void {
  for (const [slot, reg] of held) if (written.includes(reg)) held.delete(slot);
}

function note(held: Map<StackSlot, Reg>, step: Step & { readonly slot: StackSlot }): void {
  const { insn, slot } = step;
  if (insn.op === 'load') held.set(slot, insn.dst);
  if (insn.op === 'store' && 'reg' in insn.src) held.set(slot, insn.src.reg);
}
