/**
 * Pass    allocate-registers
 * Reads   instructions over virtual registers
 * Writes  the same over R0 to R9; values that find no register on the stack, in 8-byte slots;
 *         copies within one register gone
 * Refuses nothing (the caller judges the stack's size)
 * Keeps   every value where it is used: checkAllocation proves it, in the tests
 */
import { BugError } from '../../diagnostic/index.js';
import type { Loc } from '../../ir/types.js';
import { copyOf, isVirtual, type Reg, renameInsn, renameTest } from '../asm/index.js';
import type { LirFunc } from '../lir.js';
import { coalesce, type Groups } from './coalesce.js';
import { colour } from './colour.js';
import { forwardSlots } from './forward-slots.js';
import { buildGraph, type Graph } from './interference.js';
import { packSlots } from './pack-slots.js';
import { SLOT_BYTES, type StackSlot, spill } from './spill.js';

/** Each round spills something, and what spilling makes is never spilled; few rounds are ever needed. */
const MAX_ROUNDS = 100;

export interface Stack {
  readonly bytes: number;
  /** Where the most of it is in use; null where none is. */
  readonly fullest: Loc;
}

/** Allocates registers in place; returns the stack used. */
export function allocateRegisters(func: LirFunc): Stack {
  let slots = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const graph = buildGraph(func);
    const members = [...graph.neighbours.keys()].filter(isVirtual);
    const groups = coalesce(graph);
    const cost = (reg: Reg): number => costs.get(reg) ?? Number.POSITIVE_INFINITY;
    const costs = spillCosts(func, graph, groups, members);
    const { colours, spilled } = colour(graph, groups, cost);
    if (spilled.length === 0) {
      assign(func, groups, colours);
      const { count, fullest } = packSlots(func);
      forwardSlots(func);
      return { bytes: (count + func.contextWords) * SLOT_BYTES, fullest };
    }
    const homes = new Map<Reg, StackSlot>();
    for (const group of spilled) {
      const slot = slots++ as StackSlot;
      for (const reg of members) {
        if (groups.find(reg) === group && !func.unspillable.has(reg)) homes.set(reg, slot);
      }
    }
    if (homes.size === 0) throw new BugError(`no register for short lives in ${func.name}`);
    spill(func, homes);
  }
  throw new BugError(`register allocation of ${func.name} does not end`);
}

/** What storing a group would cost; groups of unspillable members only are absent. */
function spillCosts(
  func: LirFunc,
  graph: Graph,
  groups: Groups,
  members: readonly Reg[],
): ReadonlyMap<Reg, number> {
  const costs = new Map<Reg, number>();
  for (const reg of members) {
    if (func.unspillable.has(reg)) continue;
    const group = groups.find(reg);
    costs.set(group, graph.weights.get(group) ?? 0);
  }
  return costs;
}

function assign(func: LirFunc, groups: Groups, colours: ReadonlyMap<Reg, Reg>): void {
  const rename = (reg: Reg): Reg => {
    const group = groups.find(reg);
    if (!isVirtual(group)) return group;
    const machine = colours.get(group);
    // Written and never read, in code that is unreachable: any register will do.
    return machine ?? (0 as Reg);
  };
  for (const block of func.blocks) {
    block.steps = block.steps.map((step) => ({ ...step, insn: renameInsn(step.insn, rename) }));
    if (block.exit.op === 'if') {
      block.exit = { ...block.exit, test: renameTest(block.exit.test, rename) };
    }
    block.steps = block.steps.filter(({ insn }) => {
      const copy = copyOf(insn);
      return copy === null || copy.dst !== copy.src;
    });
  }
}
