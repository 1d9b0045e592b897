/**
 * Puts values on the stack: a store behind each definition, a load before each use, through registers
 * that live no longer. A copy of a spilled value becomes just the load or the store.
 */
import {
  copyOf,
  defsOf,
  FP,
  load,
  type Reg,
  renameInsn,
  renameTest,
  store,
  usesOf,
} from '../asm/index.js';
import { exitUses, freshReg, type LirBlock, type LirFunc, type Step } from '../lir.js';

declare const brand: unique symbol;
/** A stack slot before it has an offset. */
export type StackSlot = number & { readonly [brand]: 'StackSlot' };

/** Every slot is 8 bytes, so that pointers and 64-bit values can be kept. */
export const SLOT_BYTES = 8;

export interface SpillStep extends Step {
  /** The slot that this step reads or writes. */
  readonly slot: StackSlot;
}

/** True for a load or store that spilling made. */
export function isSpillStep(step: Step): step is SpillStep {
  return 'slot' in step;
}

/** Rewrites a function so that the given registers live in their slots. */
export function spill(func: LirFunc, slots: ReadonlyMap<Reg, StackSlot>): void {
  for (const block of func.blocks) spillBlock(func, block, slots);
}

function spillBlock(func: LirFunc, block: LirBlock, slots: ReadonlyMap<Reg, StackSlot>): void {
  const scratch = (): Reg => {
    const reg = freshReg(func);
    func.unspillable.add(reg);
    return reg;
  };
  const steps: Step[] = [];
  for (const step of block.steps) {
    const copy = spillCopy(step, slots);
    if (copy !== null) {
      steps.push(...copy);
      continue;
    }
    const temps = new Map<Reg, Reg>();
    const rename = (reg: Reg): Reg => {
      if (!slots.has(reg)) return reg;
      const temp = temps.get(reg) ?? scratch();
      temps.set(reg, temp);
      return temp;
    };
    const insn = renameInsn(step.insn, rename);
    for (const reg of new Set(usesOf(step.insn))) {
      const [slot, temp] = [slots.get(reg), temps.get(reg)];
      if (slot !== undefined && temp !== undefined) steps.push(reload(temp, slot, step));
    }
    steps.push({ ...step, insn });
    for (const reg of defsOf(step.insn)) {
      const [slot, temp] = [slots.get(reg), temps.get(reg)];
      if (slot !== undefined && temp !== undefined) steps.push(save(temp, slot, step));
    }
  }
  spillExit(block, steps, slots, scratch);
  block.steps = steps;
}

function spillExit(
  block: LirBlock,
  steps: Step[],
  slots: ReadonlyMap<Reg, StackSlot>,
  scratch: () => Reg,
): void {
  if (block.exit.op !== 'if') return;
  const temps = new Map<Reg, Reg>();
  for (const reg of new Set(exitUses(block.exit))) {
    const slot = slots.get(reg);
    if (slot === undefined) continue;
    const temp = scratch();
    temps.set(reg, temp);
    steps.push(reload(temp, slot, block.exit));
  }
  const test = renameTest(block.exit.test, (reg) => temps.get(reg) ?? reg);
  block.exit = { ...block.exit, test };
}

/** A copy with one end on the stack, as the steps that replace it; null where it is no such copy. */
function spillCopy(step: Step, slots: ReadonlyMap<Reg, StackSlot>): Step[] | null {
  const copy = copyOf(step.insn);
  if (copy === null) return null;
  const [to, from] = [slots.get(copy.dst), slots.get(copy.src)];
  if (to !== undefined && to === from) return [];
  if (to === undefined && from !== undefined) return [reload(copy.dst, from, step)];
  if (to !== undefined && from === undefined) return [save(copy.src, to, step)];
  return null;
}

function reload(reg: Reg, slot: StackSlot, { loc }: Pick<Step, 'loc'>): SpillStep {
  return { insn: load(SLOT_BYTES, reg, FP, offsetOf(slot)), loc, slot };
}
function save(reg: Reg, slot: StackSlot, { loc }: Pick<Step, 'loc'>): SpillStep {
  return { insn: store(SLOT_BYTES, FP, offsetOf(slot), { reg }), loc, slot };
}

/** Slots grow down from the frame pointer. */
export function offsetOf(slot: StackSlot): number {
  return -SLOT_BYTES * (slot + 1);
}
