/** Lets spilled values that never live at one time share a stack slot. */
import type { Loc } from '../../ir/types.js';
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

/** What conflicts, and what was kept when the most slots hold something: what is refused for its stack is refused there. */
function findConflicts(func: LirFunc): { readonly conflicts: Conflicts; readonly fullest: Loc } {
  const conflicts: Conflicts = new Map();
  let fullest: Loc = null;
  let most = 0;
  for (const [label, out] of liveOut(func.blocks, EFFECTS)) {
    const live = new Set(out);
    for (const step of func.blocks[label]?.steps.toReversed() ?? []) {
      for (const slot of EFFECTS.defs(step)) {
        if (live.size > most && step.loc !== null) {
          most = live.size;
          fullest = step.loc;
        }
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
  return { conflicts, fullest };
}

export interface Packed {
  /** Slots that are left. */
  readonly count: number;
  /** Where the value was made that has the most of them in use. */
  readonly fullest: Loc;
}

/** Renumbers the slots of a function. */
export function packSlots(func: LirFunc): Packed {
  const { conflicts, fullest } = findConflicts(func);
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
  return { count, fullest };
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
