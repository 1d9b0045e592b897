/**
 * The values that a verifier has to know apart at a place: those that decide a branch, or where a load goes,
 * from there on. What is only stored, returned or passed on may be anything. A comparison that is only
 * branched on is made where the branch is: its operands are what lives until then.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  type Func,
  type Instr,
  operandsOf,
  reversePostorder,
  targetsOf,
  termValue,
  useCounts,
  type ValueId,
} from '../ir/index.js';

export interface Deciding {
  /** At the beginning of each block, parameters of its own among them. */
  readonly start: ReadonlyMap<BlockId, ReadonlySet<ValueId>>;
  /** Behind each instruction of a block. */
  readonly behind: (block: Block) => readonly ReadonlySet<ValueId>[];
  /** Comparisons that become a 0 or 1 in a register. */
  readonly made: ReadonlySet<ValueId>;
}

/** Deciding values that are alive, by place. */
export function decidingValues(func: Func): Deciding {
  const order = reversePostorder(func).reverse();
  const blocks = blockMap(func);
  const defs = definitions(func);
  const made = madeCompares(func, defs);
  const start = new Map<BlockId, Set<ValueId>>(order.map(({ id }) => [id, new Set()]));

  /** What is alive where a value is: the operands of a comparison that is not made. */
  const use = (live: Set<ValueId>, value: ValueId): void => {
    const def = defs.get(value);
    if (def?.op === 'const') return;
    if (def?.op !== 'compare' || made.has(value)) live.add(value);
    else for (const arg of def.args) use(live, arg);
  };
  const atEnd = ({ term }: Block): Set<ValueId> => {
    const live = new Set<ValueId>();
    for (const { block, args } of targetsOf(term)) {
      const next = start.get(block) ?? new Set<ValueId>();
      const params = blocks.get(block)?.params ?? [];
      for (const value of next) if (!params.some((param) => param.id === value)) live.add(value);
      params.forEach((param, i) => {
        const arg = args[i];
        if (arg !== undefined && next.has(param.id)) use(live, arg);
      });
    }
    const decides = term.op === 'return' ? null : termValue(term);
    if (decides !== null) use(live, decides);
    return live;
  };
  const before = (instr: Instr, live: Set<ValueId>): void => {
    const isNeeded = live.delete(instr.id);
    if (instr.op === 'load.image') use(live, instr.args[0]);
    else if (instr.op === 'load.head') use(live, instr.args[1]);
    else if (instr.op === 'frame' && instr.args[1] !== undefined) use(live, instr.args[1]);
    else if (isNeeded && !CUTS.has(instr.op)) for (const arg of operandsOf(instr)) use(live, arg);
  };
  for (let again = true; again; ) {
    again = false;
    for (const block of order) {
      const live = atEnd(block);
      for (const instr of block.instrs.toReversed()) before(instr, live);
      if (start.get(block.id)?.size === live.size) continue;
      start.set(block.id, live);
      again = true;
    }
  }
  const behind = (block: Block): readonly ReadonlySet<ValueId>[] => {
    const live = atEnd(block);
    const sets = block.instrs.toReversed().map((instr) => {
      const here = new Set(live);
      before(instr, live);
      return here;
    });
    return sets.reverse();
  };
  return { start, behind, made };
}

/** Comparisons with a use that is no jump. */
export function madeCompares(func: Func, defs: ReadonlyMap<ValueId, Instr>): ReadonlySet<ValueId> {
  const counts = useCounts(func);
  const jumps = new Map<ValueId, number>();
  const jump = (value: ValueId): unknown => jumps.set(value, (jumps.get(value) ?? 0) + 1);
  for (const { instrs, term } of func.blocks) {
    for (const instr of instrs) if (instr.op === 'select') jump(instr.args[0]);
    if (term.op === 'br_if') jump(term.condition);
  }
  const compares = [...defs.values()].filter(({ op }) => op === 'compare');
  return new Set(compares.map(({ id }) => id).filter((id) => jumps.get(id) !== counts.get(id)));
}

/** Instructions whose result tells nothing of their operands. */
const CUTS: ReadonlySet<Instr['op']> = new Set<Instr['op']>([
  'const',
  'launder',
  'load.pointer',
  'store.pointer',
  'call',
]);
