/** Blocks to one list of instructions: fall-through where the next block allows, jumps elsewhere. */
import type { Loc } from '../../ir/types.js';
import {
  branch,
  type Code,
  exit,
  type Insn,
  type InsnIndex,
  jump,
  type Label,
  negate,
} from '../asm/index.js';
import { type Exit, type LirFunc, reversePostorder } from '../lir.js';
import { placeBlocks } from './place-blocks.js';

export interface Linear {
  readonly code: Code;
  /** Source position of each instruction. */
  readonly locs: readonly Loc[];
  /** Instructions on the longest way through; null where there are loops. */
  readonly longestPath: number | null;
}

/** Lays a function out. */
export function linearise(func: LirFunc): Linear {
  const order = placeBlocks(func);
  const rank = new Map(reversePostorder(func.blocks).map((label, i) => [label, i]));
  const insns: Insn[] = [];
  const locs: Loc[] = [];
  const labels = new Map<Label, InsnIndex>();
  const isBareEnd = (label: Label): boolean => {
    const block = func.blocks[label];
    return block?.exit.op === 'exit' && block.steps.length === 0;
  };
  for (const [i, label] of order.entries()) {
    const block = func.blocks[label];
    if (block === undefined) continue;
    labels.set(label, insns.length as InsnIndex);
    for (const { insn, loc } of block.steps) {
      insns.push(insn);
      locs.push(loc);
    }
    const next = order[i + 1] ?? null;
    const fallsBack = next !== null && (rank.get(next) ?? 0) <= (rank.get(label) ?? 0);
    for (const insn of exitInsns(block.exit, fallsBack ? null : next, isBareEnd)) {
      insns.push(insn);
      locs.push(block.exit.loc);
    }
  }
  return { code: { insns, labels }, locs, longestPath: longestPath(insns, labels) };
}

function exitInsns(end: Exit, next: Label | null, isBareEnd: (label: Label) => boolean): Insn[] {
  if (end.op === 'exit') return [exit()];
  if (end.op === 'goto') {
    if (end.to === next) return [];
    return [isBareEnd(end.to) ? exit() : jump(end.to)];
  }
  if (end.no === next) return [branch(end.test, end.yes)];
  const opposite = negate(end.test);
  if (end.yes === next && opposite !== null) return [branch(opposite, end.no)];
  return [branch(end.test, end.yes), isBareEnd(end.no) ? exit() : jump(end.no)];
}

/** Counted backwards; a jump backwards means a loop. */
function longestPath(insns: readonly Insn[], labels: ReadonlyMap<Label, InsnIndex>): number | null {
  const lengths = new Array<number>(insns.length + 1).fill(0);
  for (let i = insns.length - 1; i >= 0; i--) {
    const insn = insns[i];
    if (insn === undefined) continue;
    const target = 'to' in insn ? (labels.get(insn.to) ?? 0) : null;
    if (target !== null && target <= i) return null;
    const ahead = insn.op === 'jump' || insn.op === 'exit' ? 0 : (lengths[i + 1] ?? 0);
    lengths[i] = 1 + Math.max(ahead, target === null ? 0 : (lengths[target] ?? 0));
  }
  return lengths[0] ?? 0;
}
