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
  successors,
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
 * What repairs ask of a function. It is made once for many of them: they keep it up to date, and whoever puts
 * in a block between them tells of it.
 */
export class FlowIndex {
  readonly blocks: Map<BlockId, Block>;
  readonly preds: Map<BlockId, BlockId[]>;
  readonly types: Map<ValueId, Type>;
  #rank: Map<BlockId, number>;
  #written = new Set<BlockId>();
  readonly #users = new Map<ValueId, Set<BlockId>>();

  constructor(func: Func) {
    this.blocks = blockMap(func);
    this.preds = predecessors(func);
    this.types = valueTypes(func);
    this.#rank = ranks(func);
    for (const block of func.blocks) this.noteUses(block);
  }

  /** Puts blocks in order as if it was made anew; those that were written or got other predecessors meanwhile. */
  renew(func: Func): ReadonlySet<BlockId> {
    const written = this.#written;
    this.#written = new Set();
    if (written.size > 0) this.#rank = ranks(func);
    return written;
  }

  /** Tells that a block was written. */
  noteWritten(block: BlockId): void {
    this.#written.add(block);
  }

  /** Blocks that use a value. */
  usersOf(value: ValueId): readonly BlockId[] {
    const noted = [...(this.#users.get(value) ?? [])];
    const users = noted.filter((id) => doesUse(this.blocks.get(id), value));
    // Some may have got another name for it since they were noted.
    if (users.length < noted.length) this.#users.set(value, new Set(users));
    return users;
  }

  /** Blocks that can be reached, those before that come before: where an edge goes back it is the one of a loop. */
  inOrder(ids: Iterable<BlockId>): BlockId[] {
    const rankOf = (id: BlockId): number => this.#rank.get(id) ?? 0;
    return [...ids].filter((id) => this.#rank.has(id)).sort((a, b) => rankOf(a) - rankOf(b));
  }

  noteUse(value: ValueId, block: BlockId): void {
    const known = this.#users.get(value);
    if (known === undefined) this.#users.set(value, new Set([block]));
    else known.add(block);
  }

  noteUses({ id, instrs, term }: Block): void {
    for (const instr of instrs) for (const value of operandsOf(instr)) this.noteUse(value, id);
    for (const { args } of targetsOf(term)) for (const value of args) this.noteUse(value, id);
    const decides = termValue(term);
    if (decides !== null) this.noteUse(decides, id);
  }

  /** A copy of `original` that `from` goes to in its place, on one edge at least. */
  addCopy(copy: Block, original: BlockId, from: Block): void {
    const rank = this.#rank.get(original);
    if (rank !== undefined) this.#rank.set(copy.id, rank);
    this.blocks.set(copy.id, copy);
    this.preds.set(copy.id, [from.id]);
    this.noteUses(copy);
    for (const { id, type } of [...copy.params, ...copy.instrs]) this.types.set(id, type);
    for (const id of [copy.id, original, from.id]) this.noteWritten(id);
    for (const next of successors(copy)) {
      this.preds.get(next)?.push(copy.id);
      this.noteWritten(next);
    }
    if (successors(from).includes(original)) return;
    const before = this.preds.get(original) ?? [];
    this.preds.set(
      original,
      before.filter((id) => id !== from.id),
    );
  }
}

function ranks(func: Func): Map<BlockId, number> {
  return new Map(reversePostorder(func).map((block, i) => [block.id, i]));
}

function doesUse(block: Block | undefined, value: ValueId): boolean {
  if (block === undefined) return false;
  return (
    termValue(block.term) === value ||
    targetsOf(block.term).some(({ args }) => args.includes(value)) ||
    block.instrs.some((instr) => operandsOf(instr).includes(value))
  );
}

/**
 * Renames the uses of `values` in all blocks for which `endValue` has no answer, by block parameters where
 * ways with different names meet.
 */
export function repairSsa(
  func: Func,
  values: readonly ValueId[],
  endValue: EndValue,
  flow: FlowIndex = new FlowIndex(func),
): void {
  for (const value of values) {
    const outside = flow.usersOf(value).filter((id) => endValue(value, id) === null);
    if (outside.length > 0) rename(func, value, { outside, flow, endValue });
  }
}

interface Repair {
  readonly outside: readonly BlockId[];
  readonly flow: FlowIndex;
  readonly endValue: EndValue;
}

function rename(func: Func, value: ValueId, { outside, flow, endValue }: Repair): void {
  const { preds, blocks } = flow;
  const type = flow.types.get(value) ?? 'i32';
  // Blocks that begin with the value alive.
  const live = new Set(outside);
  for (const id of live) {
    for (const pred of preds.get(id) ?? []) if (endValue(value, pred) === null) live.add(pred);
  }
  const start = new Map<BlockId, ValueId>();
  const at = (id: BlockId): ValueId => endValue(value, id) ?? start.get(id) ?? value;
  const joined: BlockId[] = [];
  for (const id of flow.inOrder(live)) {
    const before = preds.get(id) ?? [];
    const [only] = before;
    if (before.length === 1 && only !== undefined) {
      start.set(id, at(only));
      continue;
    }
    const param = newValue(func);
    flow.types.set(param, type);
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
    flow.noteUse(name, id);
    flow.noteWritten(id);
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
      flow.noteUse(at(from), from);
      flow.noteWritten(from);
    }
  }
}
