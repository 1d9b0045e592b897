/**
 * Pass:    promote-memory
 * Reads:   stores and loads of linear memory, constants, what dominating branches say about addresses, the few
 *          places of constant memory that a load reads one of
 * Writes:  what is stored at constant addresses becomes values: loads of it the value, parameters where
 *          paths meet. Stores go away once no load is left that could read them by another address
 * Refuses: nothing (a store that stays is refused by the frontend, with its source line)
 * Keeps:   traps: a store out of bounds is one; memory as the snapshot left it where nothing was stored
 *
 * A decision owns what it writes: it begins with the snapshot's memory, and nothing outlives it.
 * Memory is split into cells at all ends of accesses, so that each access is a whole number of cells.
 */
import {
  type Block,
  type BlockId,
  blockMap,
  definitions,
  type Func,
  type Instr,
  type IntType,
  MEMORY_IMAGE,
  type Module,
  mapTerm,
  newValue,
  predecessors,
  readBytes,
  renameUses,
  resolver,
  reversePostorder,
  successors,
  type Target,
  targetsOf,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { addressLimits } from './address-limits.js';
import { eliminateDeadCode } from './eliminate-dead-code.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';

type Access = Instr & { op: 'load.memory' | 'store.memory' };
type Load = Instr & { op: 'load.memory' };
/** Value of each cell at one place; null where it is not known. */
type State = (ValueId | null)[];

/** More cells than this are refused like any store: each costs a register or a stack slot. */
const MAX_CELLS = 64;
/** The same for parameters that cells need where paths meet. */
const MAX_PARAMS = 20_000;

interface Cell {
  readonly at: number;
  readonly size: number;
  readonly type: IntType;
}

/** Everything about one function that does not change while it is rewritten. */
interface Plan {
  readonly cells: readonly Cell[];
  readonly image: Uint8Array;
  readonly addressOf: (access: Access) => number | null;
  /** True where some store may go anywhere: then values are followed along straight code only. */
  readonly wild: boolean;
}

function isAccess(instr: Instr): instr is Access {
  return instr.op === 'load.memory' || instr.op === 'store.memory';
}

/** Cells of what is stored at constant addresses, cut at the ends of all accesses to them. */
function cellsOf(accesses: readonly { at: number; size: number; store: boolean }[]): Cell[] {
  const stored = new Set<number>();
  const ends = new Set<number>();
  for (const { at, size, store } of accesses) {
    ends.add(at).add(at + size);
    for (let i = 0; store && i < size; i++) stored.add(at + i);
  }
  const cells: { at: number; size: number }[] = [];
  for (const byte of [...stored].sort((a, b) => a - b)) {
    const last = cells.at(-1);
    if (last !== undefined && last.at + last.size === byte && !ends.has(byte)) last.size += 1;
    else cells.push({ at: byte, size: 1 });
  }
  return cells.map((cell) => ({ ...cell, type: cell.size > 4 ? 'i64' : 'i32' }));
}

/** Rewrites the accesses of one function, block by block. */
class Promotion {
  changed = false;
  readonly #func: Func;
  readonly #plan: Plan;
  readonly #types: ReturnType<typeof valueTypes>;
  readonly #replaced = new Map<ValueId, ValueId>();
  #out: Instr[] = [];
  #loc: Instr['loc'] = null;

  constructor(func: Func, plan: Plan) {
    this.#func = func;
    this.#plan = plan;
    this.#types = valueTypes(func);
  }

  run(keepStores: boolean): void {
    const { cells, wild } = this.#plan;
    const preds = predecessors(this.#func);
    const ends = new Map<BlockId, State>();
    const joins = new Map<BlockId, Block>();
    for (const block of reversePostorder(this.#func)) {
      const before = new Set(preds.get(block.id) ?? []);
      const [only] = before;
      this.#out = [];
      let state: State;
      if (only === undefined) state = cells.map((cell) => this.#initial(cell));
      else if (preds.get(block.id)?.length === 1) state = [...(ends.get(only) ?? [])];
      else if (wild) state = cells.map(() => null);
      else {
        const params = cells.map(({ type }) => ({ id: newValue(this.#func), type }));
        for (const { id, type } of params) this.#types.set(id, type);
        block.params = [...block.params, ...params];
        joins.set(block.id, block);
        state = params.map((param) => param.id);
      }
      for (const instr of block.instrs) this.#instr(instr, state, keepStores);
      block.instrs = this.#out;
      ends.set(block.id, state);
    }
    for (const block of this.#func.blocks) {
      const state = ends.get(block.id) ?? [];
      const cellValues = state.flatMap((value) => (value === null ? [] : [value]));
      const retarget = (to: Target): Target =>
        joins.has(to.block) ? { ...to, args: [...to.args, ...cellValues] } : to;
      if (targetsOf(block.term).some((to) => joins.has(to.block))) {
        block.term = mapTerm(block.term, (value) => value, retarget);
      }
    }
    renameUses(this.#func, resolver(this.#replaced));
  }

  #instr(instr: Instr, state: State, keepStores: boolean): void {
    const at = isAccess(instr) ? this.#plan.addressOf(instr) : null;
    this.#loc = instr.loc;
    if (instr.op === 'store.memory') {
      if (at === null) state.fill(null);
      else this.#store(instr, at, state);
      if (keepStores) this.#out.push(instr);
      else this.changed = true;
    } else if (instr.op === 'load.memory' && at !== null) {
      const value = this.#load(instr, at, state);
      if (value === null) this.#out.push(instr);
      else {
        this.#replaced.set(instr.id, value);
        this.changed = true;
      }
    } else this.#out.push(instr);
  }

  #emit(
    rest: { readonly op: Instr['op']; readonly type: IntType } & Record<string, unknown>,
  ): ValueId {
    const id = newValue(this.#func);
    this.#types.set(id, rest.type);
    this.#out.push({ ...rest, id, loc: this.#loc } as unknown as Instr);
    return id;
  }
  #constant(type: IntType, value: bigint): ValueId {
    return this.#emit({ op: 'const', type, value });
  }
  #binary(kind: string, type: IntType, a: ValueId, by: bigint): ValueId {
    return this.#emit({ op: 'binary', kind, type, args: [a, this.#constant(type, by)] });
  }

  #initial(cell: Cell): ValueId {
    const value = readBytes(this.#plan.image, cell.at, cell.size, false, cell.type);
    return this.#constant(cell.type, value);
  }

  #store(store: Access, at: number, state: State): void {
    const value = store.args[1] as ValueId;
    const type = this.#types.get(value) === 'i64' ? 'i64' : 'i32';
    this.#plan.cells.forEach((cell, i) => {
      const from = cell.at - at;
      if (from < 0 || from >= store.size) return;
      let piece = from === 0 ? value : this.#binary('shr_u', type, value, BigInt(8 * from));
      let width = type === 'i64' ? 8 : 4;
      if (width > 4 && cell.type === 'i32') {
        piece = this.#emit({ op: 'wrap', type: 'i32', args: [piece] });
        width = 4;
      }
      const mask = (1n << BigInt(8 * cell.size)) - 1n;
      if (cell.size < width) piece = this.#binary('and', cell.type, piece, mask);
      state[i] = piece;
    });
  }

  /** The loaded value out of cells; null where one of them is not known, or none is touched. */
  #load(load: Load, at: number, state: State): ValueId | null {
    const { size, signed } = load;
    const type: IntType = load.type === 'i64' ? 'i64' : 'i32';
    const touched = this.#plan.cells
      .map((cell, i) => ({ cell, value: state[i] ?? null }))
      .filter(({ cell }) => cell.at >= at && cell.at < at + size);
    if (touched.length === 0 || touched.some(({ value }) => value === null)) return null;
    let base = readBytes(this.#plan.image, at, size, false, 'i64');
    const parts: ValueId[] = [];
    for (const { cell, value } of touched) {
      const shift = BigInt(8 * (cell.at - at));
      base &= ~(((1n << BigInt(8 * cell.size)) - 1n) << shift);
      let part = value as ValueId;
      if (type === 'i64' && cell.type === 'i32') {
        part = this.#emit({ op: 'extend_u', type, args: [part] });
      }
      parts.push(shift === 0n ? part : this.#binary('shl', type, part, shift));
    }
    if (base !== 0n) parts.push(this.#constant(type, base));
    const sum = parts.reduce((a, b) =>
      this.#emit({ op: 'binary', kind: 'or', type, args: [a, b] }),
    );
    if (!signed || size === (type === 'i64' ? 8 : 4)) return sum;
    return this.#emit({ op: 'unary', kind: `extend${8 * size}_s`, type, args: [sum] });
  }
}

/** Cuts blocks at stores that are out of bounds. */
function cutTraps(func: Func, size: number, addressOf: Plan['addressOf']): boolean {
  let cut = false;
  for (const block of func.blocks) {
    const bad = block.instrs.findIndex((instr) => {
      const at = instr.op === 'store.memory' ? addressOf(instr) : null;
      return isAccess(instr) && at !== null && at + instr.size > size;
    });
    if (bad < 0) continue;
    block.term = { op: 'trap', kind: 'trap', loc: block.instrs[bad]?.loc ?? null };
    block.instrs = block.instrs.slice(0, bad);
    cut = true;
  }
  if (cut) eliminateDeadCode(func);
  return cut;
}

/** Answers whether a store can come before an instruction of a block. */
function behindStores(func: Func): (block: Block, index: number) => boolean {
  const blocks = blockMap(func);
  const first = new Map(
    func.blocks.map((block) => [block, block.instrs.findIndex((i) => i.op === 'store.memory')]),
  );
  const reached = new Set<Block>();
  const work = func.blocks.filter((block) => (first.get(block) ?? -1) >= 0);
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    for (const id of successors(block)) {
      const next = blocks.get(id);
      if (next === undefined || reached.has(next)) continue;
      reached.add(next);
      work.push(next);
    }
  }
  return (block, index) => {
    const at = first.get(block) ?? -1;
    return reached.has(block) || (at >= 0 && at < index);
  };
}

/** Answers whether a load reads only what no decision writes: below a limit, or at one of a few places. */
function staticLoads(func: Func, module: Module): (block: Block, load: Load) => boolean {
  const from = module.scratchFrom ?? Number.POSITIVE_INFINITY;
  const limits = addressLimits(func);
  let finder: AddressesOf | null = null;
  return (block, { args: [address], offset, size }) => {
    const last = from - offset - size;
    if (limits(block.id, address) <= last) return true;
    finder ??= addressFinder(func, staticMemory(module));
    const places = finder(block, address);
    return places.length > 0 && places.every((place) => place <= last);
  };
}

/** Makes values of what a decision writes at addresses that are known. */
export function promoteMemory(func: Func, module: Module): boolean {
  const reached = new Set(reversePostorder(func));
  func.blocks = func.blocks.filter((block) => reached.has(block));
  const image = module.images.find((i) => i.name === MEMORY_IMAGE)?.bytes;
  const accesses = func.blocks.flatMap((b) => b.instrs.filter(isAccess));
  if (image === undefined || !accesses.some((i) => i.op === 'store.memory')) return false;
  const defs = definitions(func);
  const addressOf = (access: Access): number | null => {
    const def = defs.get(access.args[0]);
    return def?.op === 'const' ? Number(def.value) + access.offset : null;
  };
  if (cutTraps(func, image.length, addressOf)) return true;
  const from = module.scratchFrom ?? Number.POSITIVE_INFINITY;
  const known = accesses.flatMap((access) => {
    const at = addressOf(access);
    const { size, op } = access;
    return at === null || at + size > image.length
      ? []
      : [{ at, size, store: op === 'store.memory' }];
  });
  if (known.some(({ at, store }) => store && at < from)) return false;
  const stores = known.filter(({ store }) => store);
  const wild = stores.length < accesses.filter((i) => i.op === 'store.memory').length;
  const loads = known.filter(({ store }) => !store);
  const isRead = ({ at, size }: Cell): boolean =>
    loads.some((load) => load.at < at + size && at < load.at + load.size);
  const cells = cellsOf(known).filter(isRead);
  const joins = [...predecessors(func).values()].filter((p) => p.length > 1).length;
  if (cells.length > MAX_CELLS || cells.length * joins > MAX_PARAMS) return false;
  const behind = behindStores(func);
  const isStatic = staticLoads(func, module);
  const unknownLoads = func.blocks.some((block) =>
    block.instrs.some(
      (instr, i) =>
        instr.op === 'load.memory' &&
        addressOf(instr) === null &&
        behind(block, i) &&
        !isStatic(block, instr),
    ),
  );
  const keepStores = wild || unknownLoads;
  if (keepStores && cells.length === 0) return false;
  const promotion = new Promotion(func, { cells, image, addressOf, wild });
  promotion.run(keepStores);
  return promotion.changed;
}
