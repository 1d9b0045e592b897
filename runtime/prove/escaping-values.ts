/**
 * Values that are used behind the loop that computes them: they are what they were where the loop was left, which
 * differs from round to round. And counters of fuel, of which only the range matters where they are very many.
 */
import {
  type BlockId,
  type Func,
  operandsOf,
  targetsOf,
  termValue,
  type ValueId,
} from '../../compiler/index.js';
import { isLoop, type LoopPart, type Part } from './loop-order.js';

export interface EscapingValues {
  /** Loops around a block, the outermost first. */
  readonly loopsAt: (block: BlockId) => readonly LoopPart[];
  readonly of: (loop: LoopPart) => readonly ValueId[];
  /** The outermost loop that computes a value and that a block stands behind; null where there is none. */
  readonly leftLoop: (id: ValueId, at: BlockId) => LoopPart | null;
  readonly counters: ReadonlySet<ValueId>;
}

function loopsByBlock(parts: readonly Part[]): ReadonlyMap<BlockId, readonly LoopPart[]> {
  const found = new Map<BlockId, readonly LoopPart[]>();
  const walk = (list: readonly Part[], around: readonly LoopPart[]): void => {
    for (const part of list) {
      if (isLoop(part)) walk(part.body, [...around, part]);
      else found.set(part.id, around);
    }
  };
  walk(parts, []);
  return found;
}

/** Finds them. */
export function escapingValues(func: Func, parts: readonly Part[]): EscapingValues {
  const byBlock = loopsByBlock(parts);
  const loopsAt = (block: BlockId): readonly LoopPart[] => byBlock.get(block) ?? [];
  const definedIn = new Map<ValueId, BlockId>();
  for (const block of func.blocks) {
    for (const { id } of [...block.params, ...block.instrs]) definedIn.set(id, block.id);
  }
  const leftLoop = (id: ValueId, at: BlockId): LoopPart | null => {
    const home = definedIn.get(id);
    if (home === undefined) return null;
    return loopsAt(home).find((loop) => !loop.blocks.has(at)) ?? null;
  };
  const found = new Map<LoopPart, Set<ValueId>>();
  const use = (id: ValueId, at: BlockId): void => {
    const home = definedIn.get(id);
    if (home === undefined) return;
    for (const loop of loopsAt(home)) {
      if (loop.blocks.has(at)) continue;
      const values = found.get(loop) ?? new Set();
      values.add(id);
      found.set(loop, values);
    }
  };
  for (const block of func.blocks) {
    for (const instr of block.instrs) for (const id of operandsOf(instr)) use(id, block.id);
    const value = termValue(block.term);
    if (value !== null) use(value, block.id);
    for (const { args } of targetsOf(block.term)) for (const id of args) use(id, block.id);
  }
  const of = (loop: LoopPart): readonly ValueId[] => [...(found.get(loop) ?? [])];
  return { loopsAt, of, leftLoop, counters: countersOf(func) };
}

const MINUS_ONE = 0xffffffffn;

/** What is counted down by one, or handed to a subprogram as its fuel. */
function countersOf(func: Func): ReadonlySet<ValueId> {
  const instrs = func.blocks.flatMap(({ instrs }) => instrs);
  const constants = new Map(
    instrs.flatMap((instr) => (instr.op === 'const' ? [[instr.id, instr.value] as const] : [])),
  );
  const counters = new Set<ValueId>();
  for (const instr of instrs) {
    if (instr.op === 'binary') {
      const by = constants.get(instr.args[1]);
      const isDown =
        (instr.kind === 'add' && by === MINUS_ONE) || (instr.kind === 'sub' && by === 1n);
      if (isDown) counters.add(instr.args[0]).add(instr.id);
    }
    if (instr.op === 'call' && instr.args[1] !== undefined) counters.add(instr.args[1]);
  }
  const blocks = new Map(func.blocks.map((block) => [block.id, block]));
  for (let changed = true; changed; ) {
    const before = counters.size;
    for (const block of func.blocks) {
      for (const { block: to, args } of targetsOf(block.term)) {
        const params = blocks.get(to)?.params ?? [];
        for (const [i, { id }] of params.entries()) {
          const arg = args[i];
          if (arg === undefined) continue;
          if (counters.has(id) || counters.has(arg)) counters.add(id).add(arg);
        }
      }
    }
    changed = counters.size > before;
  }
  return counters;
}
