/**
 * Pass:    lower-switch
 * Reads:   switch terminators
 * Writes:  a balanced tree of unsigned comparisons; neighbouring cases with one target are one range
 * Refuses: nothing
 * Keeps:   targets and their arguments
 *
 * Balanced, because a linear chain of thousands of jumps is "too complex" for the kernel's verifier.
 */
import {
  type Block,
  type Func,
  type Instr,
  newBlock,
  newValue,
  type Target,
  type Terminator,
} from '../ir/index.js';

interface Range {
  /** First value of the range; it ends where the next begins. */
  readonly from: number;
  readonly target: Target;
}

function rangesOf(term: Terminator & { op: 'switch' }): Range[] {
  const ranges: Range[] = [];
  [...term.cases, term.default].forEach((target, from) => {
    const last = ranges.at(-1)?.target;
    const same =
      last !== undefined &&
      last.block === target.block &&
      last.args.every((arg, i) => arg === target.args[i]);
    if (!same) ranges.push({ from, target });
  });
  return ranges;
}

function lowerOne(func: Func, root: Block, term: Terminator & { op: 'switch' }): Block[] {
  const ranges = rangesOf(term);
  const made: Block[] = [];
  const work: { block: Block; low: number; high: number }[] = [
    { block: root, low: 0, high: ranges.length },
  ];
  const { loc } = term;
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const { block, low, high } = item;
    const first = ranges[low];
    if (first !== undefined && high - low === 1) {
      block.term = { op: 'br', to: first.target, loc };
      continue;
    }
    const middle = (low + high) >> 1;
    const side = (from: number, to: number): Target => {
      const only = ranges[from];
      if (only !== undefined && to - from === 1) return only.target;
      const next: Block = { id: newBlock(func), params: [], instrs: [], term };
      made.push(next);
      work.push({ block: next, low: from, high: to });
      return { block: next.id, args: [] };
    };
    const bound = newValue(func);
    const condition = newValue(func);
    const value = BigInt(ranges[middle]?.from ?? 0);
    const test: Instr[] = [
      { op: 'const', id: bound, type: 'i32', loc, value },
      { op: 'compare', kind: 'lt_u', id: condition, type: 'i32', loc, args: [term.value, bound] },
    ];
    block.instrs = [...block.instrs, ...test];
    const then = side(low, middle);
    block.term = { op: 'br_if', condition, then, else: side(middle, high), loc };
  }
  return made;
}

/** Replaces every switch by comparisons. */
export function lowerSwitch(func: Func): boolean {
  const blocks: Block[] = [];
  for (const block of func.blocks) {
    const { term } = block;
    blocks.push(block);
    if (term.op === 'switch') blocks.push(...lowerOne(func, block, term));
  }
  const changed = blocks.length !== func.blocks.length;
  const had = func.blocks.some((block) => block.term.op === 'switch');
  func.blocks = blocks;
  return changed || had;
}
