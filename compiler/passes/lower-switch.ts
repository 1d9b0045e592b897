/**
 * Pass:    lower-switch
 * Reads:   switch terminators
 * Writes:  a balanced tree of unsigned comparisons; neighbouring cases with one target are one range.
 *          Where there are many more ranges than targets, an image with the number of each case's
 *          target, and the tree over that number
 * Refuses: nothing
 * Keeps:   targets and their arguments
 *
 * Balanced, because a linear chain of thousands of jumps is "too complex" for the kernel's verifier.
 */
import {
  type Block,
  type Func,
  type Instr,
  type Module,
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

/** From so many ranges on, with half as many targets, a load is cheaper than the longer tree. */
const MANY = 32;

function sameTarget(a: Target, b: Target): boolean {
  return a.block === b.block && a.args.every((arg, i) => arg === b.args[i]);
}

/** The switch over the numbers of its targets, which an image gives for each case. */
function throughImage(
  func: Func,
  module: Module,
  block: Block,
  term: Terminator & { op: 'switch' },
): { readonly block: Block; readonly term: Terminator & { op: 'switch' } } | null {
  const ranges = rangesOf(term);
  const targets: Target[] = [];
  const numbers = [...term.cases, term.default].map((target) => {
    const known = targets.findIndex((other) => sameTarget(other, target));
    if (known >= 0 || targets.length > 256) return known;
    return targets.push(target) - 1;
  });
  if (ranges.length < MANY || targets.length > 256 || targets.length * 2 > ranges.length)
    return null;
  const last = targets[numbers.at(-1) ?? 0];
  if (last === undefined) return null;
  const name = `${func.name}_switch${module.images.length}`;
  const cases = numbers.slice(0, -1);
  module.images.push({ name, bytes: Uint8Array.from(cases), align: 8 });
  const { loc } = term;
  const [bound, condition, number] = [newValue(func), newValue(func), newValue(func)];
  const next: Block = { id: newBlock(func), params: [], instrs: [], term };
  next.instrs = [
    {
      ...{ op: 'load.image', image: name, id: number, type: 'i32', loc, size: 1, offset: 0 },
      ...{ limit: cases.length - 1, args: [term.value] },
    },
  ];
  block.instrs = [
    ...block.instrs,
    { op: 'const', id: bound, type: 'i32', loc, value: BigInt(cases.length) },
    { op: 'compare', kind: 'ge_u', id: condition, type: 'i32', loc, args: [term.value, bound] },
  ];
  block.term = { op: 'br_if', condition, then: last, else: { block: next.id, args: [] }, loc };
  return { block: next, term: { ...term, value: number, cases: targets, default: last } };
}

function rangesOf(term: Terminator & { op: 'switch' }): Range[] {
  const ranges: Range[] = [];
  [...term.cases, term.default].forEach((target, from) => {
    const last = ranges.at(-1)?.target;
    if (last === undefined || !sameTarget(last, target)) ranges.push({ from, target });
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
export function lowerSwitch(func: Func, module: Module): boolean {
  const blocks: Block[] = [];
  for (const block of func.blocks) {
    const { term } = block;
    blocks.push(block);
    if (term.op !== 'switch') continue;
    const short = throughImage(func, module, block, term);
    if (short !== null) blocks.push(short.block);
    blocks.push(...lowerOne(func, short?.block ?? block, short?.term ?? term));
  }
  const changed = blocks.length !== func.blocks.length;
  const had = func.blocks.some((block) => block.term.op === 'switch');
  func.blocks = blocks;
  return changed || had;
}
