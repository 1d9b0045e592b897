/**
 * Makes a function SSA again after blocks were copied: a value that the copied blocks define has one
 * name in each copy, and what uses it behind them must get the one of the way that was taken.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  type Func,
  mapOperands,
  mapTerm,
  newBlock,
  newValue,
  operandsOf,
  predecessors,
  reversePostorder,
  type Target,
  type Type,
  targetsOf,
  termValue,
  type ValueId,
  valueTypes,
} from '../ir/index.js';

/** Copies of some blocks, appended to the function; edges among them lead to copies. */
export interface Copies {
  readonly blocks: readonly Block[];
  readonly placeOf: ReadonlyMap<BlockId, BlockId>;
  readonly nameOf: ReadonlyMap<ValueId, ValueId>;
}

/** Copies blocks; `bound` are values that the copy uses in place of those of the original. */
export function copyBlocks(
  func: Func,
  blocks: readonly Block[],
  bound: ReadonlyMap<ValueId, ValueId> = new Map(),
): Copies {
  const placeOf = new Map(blocks.map((block) => [block.id, newBlock(func)]));
  const nameOf = new Map(bound);
  for (const block of blocks) {
    for (const { id } of [...block.params, ...block.instrs])
      if (!bound.has(id)) nameOf.set(id, newValue(func));
  }
  const value = (id: ValueId): ValueId => nameOf.get(id) ?? id;
  const made = blocks.map(
    (block): Block => ({
      id: placeOf.get(block.id) ?? block.id,
      params: block.params.map(({ id, type }) => ({ id: value(id), type })),
      instrs: block.instrs.map((instr) => ({ ...mapOperands(instr, value), id: value(instr.id) })),
      term: mapTerm(block.term, value, (to) => ({
        ...to,
        block: placeOf.get(to.block) ?? to.block,
      })),
    }),
  );
  func.blocks.push(...made);
  return { blocks: made, placeOf, nameOf };
}

/** The block's edges to `from` lead to `to`. */
export function retarget(block: Block, from: BlockId, to: BlockId): void {
  block.term = mapTerm(
    block.term,
    (value) => value,
    (target) => (target.block === from ? { ...target, block: to } : target),
  );
}

/** What a value is called where a block ends that is one of the copies or their original; else null. */
export type EndValue = (value: ValueId, block: BlockId) => ValueId | null;

/**
 * Renames the uses of `values` in all blocks for which `endValue` has no answer, by block parameters where
 * ways with different names meet.
 */
export function repairSsa(func: Func, values: readonly ValueId[], endValue: EndValue): void {
  const users = [...usersOf(func, new Set(values))]
    .map(([value, ids]) => [value, ids.filter((id) => endValue(value, id) === null)] as const)
    .filter(([, outside]) => outside.length > 0);
  if (users.length === 0) return;
  const types = valueTypes(func);
  const preds = predecessors(func);
  const order = reversePostorder(func).map((block) => block.id);
  const blocks = blockMap(func);
  for (const [value, outside] of users) {
    rename(func, value, types.get(value) ?? 'i32', { outside, preds, order, blocks, endValue });
  }
}

function usersOf(func: Func, values: ReadonlySet<ValueId>): Map<ValueId, BlockId[]> {
  const users = new Map<ValueId, BlockId[]>();
  // Most blocks use none of them, and there are many blocks.
  const note = (value: ValueId, user: BlockId): void => {
    if (!values.has(value)) return;
    const known = users.get(value);
    if (known === undefined) users.set(value, [user]);
    else if (known.at(-1) !== user) known.push(user);
  };
  for (const { id, instrs, term } of func.blocks) {
    for (const instr of instrs) for (const value of operandsOf(instr)) note(value, id);
    for (const { args } of targetsOf(term)) for (const value of args) note(value, id);
    const decides = termValue(term);
    if (decides !== null) note(decides, id);
  }
  return users;
}

interface Repair {
  readonly outside: readonly BlockId[];
  readonly preds: ReadonlyMap<BlockId, readonly BlockId[]>;
  readonly order: readonly BlockId[];
  readonly blocks: ReadonlyMap<BlockId, Block>;
  readonly endValue: EndValue;
}

function rename(func: Func, value: ValueId, type: Type, repair: Repair): void {
  const { outside, preds, order, blocks, endValue } = repair;
  // Blocks that begin with the value alive.
  const live = new Set(outside);
  for (const id of live) {
    for (const pred of preds.get(id) ?? []) if (endValue(value, pred) === null) live.add(pred);
  }
  const start = new Map<BlockId, ValueId>();
  const at = (id: BlockId): ValueId => endValue(value, id) ?? start.get(id) ?? value;
  const joined: BlockId[] = [];
  for (const id of order) {
    if (!live.has(id)) continue;
    const before = preds.get(id) ?? [];
    const [only] = before;
    if (before.length === 1 && only !== undefined) {
      start.set(id, at(only));
      continue;
    }
    const param = newValue(func);
    start.set(id, param);
    joined.push(id);
  }
  for (const id of live) {
    const name = start.get(id);
    const block = blocks.get(id);
    if (name === undefined || block === undefined) continue;
    const now = (used: ValueId): ValueId => (used === value ? name : used);
    block.instrs = block.instrs.map((instr) => mapOperands(instr, now));
    block.term = mapTerm(block.term, now);
  }
  for (const id of joined) {
    const block = blocks.get(id);
    const param = start.get(id);
    if (block === undefined || param === undefined) continue;
    block.params = [...block.params, { id: param, type }];
    for (const from of preds.get(id) ?? []) {
      const pred = blocks.get(from);
      if (pred === undefined) continue;
      const pass = (target: Target): Target =>
        target.block === id ? { ...target, args: [...target.args, at(from)] } : target;
      pred.term = mapTerm(pred.term, (used) => used, pass);
    }
  }
}
