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
import { leavingEdges } from './leaving-edges.js';
import { placeBlocks } from './place-blocks.js';

export interface Linear {
  readonly code: Code;
  /** Source position of each instruction. */
  readonly locs: readonly Loc[];
  /** Instructions on the longest way through; null where there are loops. */
  readonly longestPath: number | null;
}

export interface LayoutOptions {
  /** The verifier walks all turns of loops: what leaves one falls through. */
  readonly walksLoops: boolean;
}

/** Lays a function out. */
export function linearise(func: LirFunc, { walksLoops }: LayoutOptions): Linear {
  const leaves = walksLoops ? leavingEdges(func) : () => false;
  let nextLabel = func.blocks.length;
  const order = placeBlocks(func);
  const rank = new Map(reversePostorder(func.blocks).map((label, i) => [label, i]));
  const insns: Insn[] = [];
  const locs: Loc[] = [];
  const labels = new Map<Label, InsnIndex>();
  for (const [i, label] of order.entries()) {
    const block = func.blocks[label];
    if (block === undefined) continue;
    labels.set(label, insns.length as InsnIndex);
    for (const { insn, loc } of block.steps) {
      const opposite = insn.op === 'branch' && leaves(label, insn.to) ? negate(insn.test) : null;
      if (insn.op === 'branch' && opposite !== null) {
        const past = nextLabel++ as Label;
        insns.push(branch(opposite, past), jump(insn.to));
        labels.set(past, insns.length as InsnIndex);
        locs.push(loc, loc);
        continue;
      }
      insns.push(insn);
      locs.push(loc);
    }
    const next = order[i + 1] ?? null;
    const fallsBack = next !== null && (rank.get(next) ?? 0) <= (rank.get(label) ?? 0);
    const following = fallsBack ? null : next;
    const last = leavingLast(block.exit, (to) => leaves(label, to));
    const falls = last === null || last.no === following ? following : null;
    for (const insn of exitInsns(last ?? block.exit, falls)) {
      insns.push(insn);
      locs.push(block.exit.loc);
    }
  }
  return { code: { insns, labels }, locs, longestPath: longestPath(insns, labels) };
}

/** The same end, with what leaves a loop where its test does not hold; null where nothing leaves, or the test has no opposite. */
function leavingLast(end: Exit, leaves: (to: Label) => boolean): (Exit & { op: 'if' }) | null {
  if (end.op !== 'if' || leaves(end.yes) === leaves(end.no)) return null;
  if (leaves(end.no)) return end;
  const test = negate(end.test);
  return test === null ? null : { ...end, test, yes: end.no, no: end.yes };
}

function exitInsns(end: Exit, next: Label | null): Insn[] {
  if (end.op === 'exit') return [exit()];
  if (end.op === 'goto') {
    if (end.to === next) return [];
    return [jump(end.to)];
  }
  if (end.no === next) return [branch(end.test, end.yes)];
  const opposite = negate(end.test);
  if (end.yes === next && opposite !== null) return [branch(opposite, end.no)];
  return [branch(end.test, end.yes), jump(end.no)];
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
