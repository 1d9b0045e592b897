/** Lets spilled values that never live at one time share a stack slot. */
import { FP, load, store } from '../asm/index.js';
import type { LirFunc, Step } from '../lir.js';
import { type Effects, liveOut } from './liveness.js';
import { isSpillStep, offsetOf, SLOT_BYTES, type SpillStep, type StackSlot } from './spill.js';

const EFFECTS: Effects<StackSlot> = {
  uses: (step) => (isSpillStep(step) && step.insn.op === 'load' ? [step.slot] : []),
  defs: (step) => (isSpillStep(step) && step.insn.op === 'store' ? [step.slot] : []),
  exitUses: () => [],
};

type Conflicts = Map<StackSlot, Set<StackSlot>>;

function conflictsOf(conflicts: Conflicts, slot: StackSlot): Set<StackSlot> {
  const others = conflicts.get(slot) ?? new Set();
  conflicts.set(slot, others);
  return others;
}

function findConflicts(func: LirFunc): Conflicts {
  const conflicts: Conflicts = new Map();
  for (const [label, out] of liveOut(func.blocks, EFFECTS)) {
    const live = new Set(out);
    for (const step of func.blocks[label]?.steps.toReversed() ?? []) {
      for (const slot of EFFECTS.defs(step)) {
        live.delete(slot);
        for (const other of live) {
          conflictsOf(conflicts, slot).add(other);
          conflictsOf(conflicts, other).add(slot);
        }
        conflictsOf(conflicts, slot);
      }
      for (const slot of EFFECTS.uses(step)) {
        live.add(slot);
        conflictsOf(conflicts, slot);
      }
    }
  }
  return conflicts;
}

/** Renumbers the slots of a function; returns how many are left. */
export function packSlots(func: LirFunc): number {
  const conflicts = findConflicts(func);
  const packed = new Map<StackSlot, StackSlot>();
  let count = 0;
  for (const [slot, others] of [...conflicts].sort(([a], [b]) => a - b)) {
    const taken = new Set([...others].map((other) => packed.get(other)));
    let choice = 0;
    while (taken.has(choice as StackSlot)) choice++;
    packed.set(slot, choice as StackSlot);
    count = Math.max(count, choice + 1);
  }
  for (const block of func.blocks)
    block.steps = block.steps.map((step) => renumber(step, packed, func.contextWords));
  return count;
}

function renumber(
  step: Step,
  packed: ReadonlyMap<StackSlot, StackSlot>,
  contextWords: number,
): Step | SpillStep {
  if (!isSpillStep(step)) return step;
  const slot = packed.get(step.slot) ?? step.slot;
  const { insn } = step;
  const offset = offsetOf((slot + contextWords) as StackSlot);
  if (insn.op === 'load') {
    return { ...step, slot, insn: load(SLOT_BYTES, insn.dst, FP, offset) };
  }
  if (insn.op !== 'store') return step;
  return { ...step, slot, insn: store(SLOT_BYTES, FP, offset, insn.src) };
}
