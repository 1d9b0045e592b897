/**
 * What a function needs behind a recursive call is stored into the call's frame before it and loaded behind it.
 *
 * While a function is built the place behind a call counts as reached from before it, and uses the values that
 * were computed there. But the way there leads through the header of the loop, on which they are made anew. So
 * each value that is alive behind the call, and is not from before the loop, gets one more name there.
 */
import { FRAME_WORDS } from '../abi/index.js';
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  dominators,
  type Func,
  type Instr,
  mapOperands,
  mapTerm,
  newValue,
  operandsOf,
  reversePostorder,
  successors,
  targetsOf,
  termValue,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { eliminateDeadCode, repairSsa } from '../passes/index.js';
import type { BuildContext } from './build-context.js';

/** A recursive call that is not a function's last. */
export interface FramedCall {
  /** The block that ends in it. */
  readonly from: Block;
  /** Of the loop that the call goes round in. */
  readonly header: Block;
  /** Where it goes on with the results. */
  readonly behind: Block;
  /** Where the frame begins, known in `from`; the same, known behind the call. */
  readonly at: ValueId;
  readonly again: ValueId;
  /** The instruction in whose place values are loaded. */
  readonly loads: ValueId;
  /** Of the call in the module. */
  readonly pos: number;
}

/** Words of a frame that values can have: the first says where to go on. */
const MOST_KEPT = FRAME_WORDS - 1;

/** The function as it was thought of: behind a call comes what stands behind it. */
function asThought(func: Func, calls: readonly FramedCall[]): Func {
  const behindOf = new Map(calls.map(({ from, behind }) => [from.id, behind.id]));
  const headers = new Set(calls.map(({ header }) => header.id));
  const behinds = new Set(behindOf.values());
  const blocks = func.blocks.map((block): Block => {
    const { term } = block;
    const behind = behindOf.get(block.id);
    if (behind !== undefined && term.op === 'br') {
      const none = { block: behind, args: [] };
      return {
        ...block,
        term: { ...term, op: 'switch', value: NOTHING, cases: [none], default: term.to },
      };
    }
    if (term.op !== 'switch' || !headers.has(block.id)) return block;
    const kept = targetsOf(term).filter((to) => !behinds.has(to.block));
    const [last] = kept;
    return last === undefined ? block : { ...block, term: { ...term, cases: kept, default: last } };
  });
  return { ...func, blocks };
}

/** Stands for a choice that nobody makes. */
const NOTHING = -1 as ValueId;

/** Values that are alive where each block begins; its parameters are not among them. */
function aliveAtBegin(func: Func): Map<BlockId, Set<ValueId>> {
  const alive = new Map<BlockId, Set<ValueId>>();
  const order = reversePostorder(func).reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order) {
      const live = new Set<ValueId>();
      for (const next of successors(block))
        for (const value of alive.get(next) ?? []) live.add(value);
      for (const { args } of targetsOf(block.term)) for (const value of args) live.add(value);
      const decides = termValue(block.term);
      if (decides !== null) live.add(decides);
      for (const instr of block.instrs.toReversed()) {
        live.delete(instr.id);
        for (const value of operandsOf(instr)) live.add(value);
      }
      for (const { id } of block.params) live.delete(id);
      live.delete(NOTHING);
      if (live.size === alive.get(block.id)?.size) continue;
      alive.set(block.id, live);
      changed = true;
    }
  }
  return alive;
}

/** Stores and loads what recursive calls of a function keep; what does not fit a frame is refused. */
export function keepInFrames(
  func: Func,
  calls: readonly FramedCall[],
  { slot, context }: { readonly slot: ValueId; readonly context: BuildContext },
): void {
  // Locals that nobody needs are passed on from join to join until now.
  eliminateDeadCode(func);
  const blocks = blockMap(func);
  const live = calls.filter(({ from, behind }) => blocks.has(from.id) && blocks.has(behind.id));
  const thought = asThought(func, live);
  const alive = aliveAtBegin(thought);
  const { dominates } = dominators(thought);
  const defs = definitions(func);
  const types = valueTypes(func);
  const placeOf = new Map<ValueId, BlockId>();
  for (const { id, params, instrs } of func.blocks)
    for (const { id: value } of [...params, ...instrs]) placeOf.set(value, id);
  const names = new Map<ValueId, Map<BlockId, ValueId>>();
  for (const { from, header, behind, at, again, loads, pos } of live) {
    const isOwn = (value: ValueId): boolean => {
      const place = placeOf.get(value);
      return place !== undefined && !(place !== header.id && dominates(place, header.id));
    };
    const needed = [...(alive.get(behind.id) ?? [])].filter(isOwn);
    const kept = needed.filter((value) => defs.get(value)?.op !== 'const');
    const loc = from.term.loc;
    const load: Instr[] = [];
    const make = (into: Instr[], instr: Record<string, unknown>): ValueId => {
      const id = newValue(func);
      into.push({ loc, ...instr, id } as unknown as Instr);
      return id;
    };
    if (kept.length > MOST_KEPT) {
      const message = `the function calls itself and needs ${kept.length} values behind it, at most ${MOST_KEPT}`;
      const name = context.refuse('I106', message, pos, func.name);
      make(from.instrs, { op: 'abi', type: 'i32', name, args: [] });
    }
    for (const value of needed) {
      const def = defs.get(value);
      const type = types.get(value) ?? 'i32';
      let name: ValueId;
      if (def?.op === 'const') name = make(load, { ...def });
      else {
        const offset = 8 * (1 + Math.min(kept.indexOf(value), MOST_KEPT - 1));
        const frame = { op: 'frame', offset } as const;
        const wide =
          type === 'i64'
            ? value
            : make(from.instrs, { op: 'extend_u', type: 'i64', args: [value] });
        make(from.instrs, { ...frame, kind: 'store', type: 'i32', args: [slot, at, wide] });
        name = make(load, { ...frame, kind: 'load', type: 'i64', args: [slot, again] });
        if (type === 'i32') name = make(load, { op: 'wrap', type, args: [name] });
      }
      const known = names.get(value) ?? new Map<BlockId, ValueId>();
      names.set(value, known.set(behind.id, name));
    }
    behind.instrs = behind.instrs.flatMap((instr) => (instr.id === loads ? load : [instr]));
  }
  for (const { behind: block } of live) {
    const now = (value: ValueId): ValueId => names.get(value)?.get(block.id) ?? value;
    block.instrs = block.instrs.map((instr) => mapOperands(instr, now));
    block.term = mapTerm(block.term, now);
  }
  repairSsa(func, [...names.keys()], (value, block) =>
    placeOf.get(value) === block ? value : (names.get(value)?.get(block) ?? null),
  );
}
