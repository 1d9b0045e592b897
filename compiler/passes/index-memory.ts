/**
 * Pass:    index-memory
 * Reads:   loads and stores of linear memory whose address is one of a few: a constant and a bounded,
 *          scaled index (`list[port & 3]`), where a decision may write
 * Writes:  an access of each of them, chosen by comparisons with the address, so that promote-memory
 *          can make values of all, and no store that no load can read; comparisons of such addresses with a constant that come out the same for all
 * Refuses: nothing (what has more addresses stays, and a store that stays is refused by the frontend)
 * Keeps:   traps: all addresses lie in memory; what is loaded and stored
 *
 * An index is bounded by the length of its array, which lies in memory too. That the length is what was
 * stored once, before, is assumed, and holds if under that assumption no store reaches it: the first store
 * to break it would have been bounded by what was still whole.
 */
import {
  blockMap,
  definitions,
  Emitter,
  type Func,
  foldCompare,
  type Instr,
  MEMORY_IMAGE,
  type Module,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { addressLimits } from './address-limits.js';
import { type ExecutionOrder, executionOrder } from './execution-order.js';
import { foldConstants } from './fold-constants.js';
import { type AddressesOf, addressFinder, staticMemory } from './places.js';

type Access = Instr & { op: 'load.memory' | 'store.memory' };

/** Chooses among constant addresses, in place. */
export function indexMemory(func: Func, module: Module): boolean {
  const size = module.images.find(({ name }) => name === MEMORY_IMAGE)?.bytes.length ?? 0;
  const scratch = module.scratchFrom ?? size;
  const stores = func.blocks.flatMap(({ instrs }) => instrs.filter(isStore));
  if (stores.length === 0) return false;
  const statics = staticMemory(module);
  const placesOf = assuming(func, stores, statics) ?? addressFinder(func, statics);
  const isRead = readers(func, placesOf, scratch);
  const facts = { defs: definitions(func), types: valueTypes(func), from: scratch };
  let changed = false;
  for (const block of func.blocks) {
    block.instrs = block.instrs.flatMap((instr) => {
      if (instr.op === 'compare') {
        const known = decided(instr, facts, (value) => placesOf(block, value));
        changed ||= known !== instr;
        return [known];
      }
      if (instr.op !== 'load.memory' && instr.op !== 'store.memory') return [instr];
      const addresses = placesOf(block, instr.args[0]);
      const last = size - instr.size - instr.offset;
      const isOwn = addresses.some((at) => at + instr.offset + instr.size > scratch);
      const isKnown = facts.defs.get(instr.args[0])?.op === 'const';
      if (!isOwn || isKnown || addresses.some((at) => at > last)) return [instr];
      changed = true;
      if (isStore(instr) && !addresses.some((at) => isRead(at + instr.offset, instr.size)))
        return [];
      return chosen(func, instr, addresses);
    });
  }
  return changed;
}

/** Whether any load may read of some bytes: the heads of objects are written, and nobody asks for them. */
function readers(
  func: Func,
  placesOf: AddressesOf,
  scratch: number,
): (at: number, size: number) => boolean {
  const limit = addressLimits(func);
  const read: { readonly at: number; readonly size: number }[] = [];
  for (const block of func.blocks) {
    for (const { args, offset, size } of block.instrs.filter(isLoad)) {
      const addresses = placesOf(block, args[0]);
      read.push(...addresses.map((at) => ({ at: at + offset, size })));
      const isStatic = limit(block.id, args[0]) + BigInt(offset + size) <= BigInt(scratch);
      if (addresses.length === 0 && !isStatic) return () => true;
    }
  }
  return (at, size) => read.some((one) => overlaps(one, at, size));
}

interface Facts {
  readonly defs: ReadonlyMap<ValueId, Instr>;
  readonly types: ReturnType<typeof valueTypes>;
  /** Where a decision's own memory begins. */
  readonly from: number;
}

/** A comparison, or its outcome where all addresses have the same: that memory does not have to grow, wherever an object lies. */
function decided(
  compare: Instr & { op: 'compare' },
  { defs, types, from }: Facts,
  placesOf: (value: ValueId) => readonly number[],
): Instr {
  const [value, bound] = compare.args;
  if (defs.get(value)?.op === 'const' || types.get(value) !== 'i32') return compare;
  const [limit, ...others] = placesOf(bound);
  if (limit === undefined || others.length > 0) return compare;
  const places = placesOf(value);
  // A check of an index is what bounds it: without it the places are unknown.
  if (places.some((at) => at < from)) return compare;
  const outcomes = new Set(
    places.map((at) => foldCompare(compare.kind, 'i32', BigInt(at), BigInt(limit))),
  );
  const [only] = outcomes;
  if (outcomes.size !== 1 || only === undefined) return compare;
  const { id, loc } = compare;
  return { op: 'const', id, type: 'i32', loc, value: only ? 1n : 0n };
}

/** The instructions in place of an access; of a load the last address needs no comparison. */
function chosen(func: Func, access: Access, addresses: readonly number[]): readonly Instr[] {
  const out = new Emitter(func, access.loc);
  const [address] = access.args;
  const { offset, size } = access;
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) {
    // One that several ways give.
    const to = out.constant('i32', only);
    const same: Instr =
      access.op === 'load.memory'
        ? { ...access, args: [to] }
        : { ...access, args: [to, access.args[1]] };
    return [...out.instrs, same];
  }
  if (access.op === 'load.memory') {
    const { type, signed } = access;
    const load = (at: number): ValueId => {
      const args = [out.constant('i32', at)] as const;
      return out.emit({ op: 'load.memory', type, size, signed, offset, args });
    };
    const rest = addresses.slice(0, -1);
    let value = load(addresses.at(-1) ?? 0);
    for (const [i, at] of rest.entries()) {
      const isHere = out.compareWith('i32', 'eq', address, at);
      const id = i === rest.length - 1 ? access.id : out.fresh();
      value = out.select(type, isHere, load(at), value, id);
    }
    return out.instrs;
  }
  const value = access.args[1];
  const type = valueTypes(func).get(value) === 'i64' ? 'i64' : 'i32';
  for (const at of addresses) {
    const to = out.constant('i32', at);
    const isHere = out.compareWith('i32', 'eq', address, at);
    const read = { op: 'load.memory', size, signed: false, offset, args: [to] } as const;
    const old = out.emit({ ...read, type });
    const kept = out.select(type, isHere, value, old);
    out.emit({ op: 'store.memory', type: 'i32', size, offset, args: [to, kept] });
  }
  return out.instrs;
}

type Store = Instr & { op: 'store.memory' };
function isLoad(instr: Instr): instr is Instr & { op: 'load.memory' } {
  return instr.op === 'load.memory';
}
function isStore(instr: Instr): instr is Store {
  return instr.op === 'store.memory';
}

/** Places where all loads of what one store left give what it stored; null where another may break that. */
function assuming(func: Func, stores: readonly Store[], statics: Uint8Array): AddressesOf | null {
  const comesBefore = executionOrder(func);
  const assumed = leftByOne(func, stores, comesBefore);
  if (assumed.size === 0) return null;
  const view = structuredClone(func);
  for (const block of view.blocks) {
    block.instrs = block.instrs.map((instr) => {
      const { type, loc } = instr;
      const value = assumed.get(instr.id)?.value;
      return value === undefined ? instr : { op: 'const', id: instr.id, type, loc, value };
    });
  }
  foldConstants(view);
  const placesOf = addressFinder(view, statics);
  const blocks = blockMap(view);
  const defs = definitions(func);
  const holds = func.blocks.every((block) =>
    block.instrs.filter(isStore).every((store) => {
      if (defs.get(store.args[0])?.op === 'const') return true;
      const broken = [...assumed].filter(([load]) => comesBefore.maybe(store.id, load));
      if (broken.length === 0) return true;
      const at = blocks.get(block.id);
      const addresses = at === undefined ? [] : placesOf(at, store.args[0]);
      const touches = addresses.some((address) =>
        broken.some(([, cell]) => overlaps(cell, address + store.offset, store.size)),
      );
      return addresses.length > 0 && !touches;
    }),
  );
  return holds ? (block, value) => placesOf(blocks.get(block.id) ?? block, value) : null;
}

interface Stored {
  readonly at: number;
  readonly size: number;
  readonly value: bigint;
}

function overlaps(cell: Omit<Stored, 'value'>, at: number, size: number): boolean {
  return at < cell.at + cell.size && cell.at < at + size;
}

/** Loads of a constant that one store left: before them on all ways, and no other at a constant address may come between. */
function leftByOne(
  func: Func,
  stores: readonly Store[],
  order: ExecutionOrder,
): Map<ValueId, Stored> {
  const defs = definitions(func);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  const known = stores.flatMap(({ id, args, offset, size }) => {
    const at = constant(args[0]);
    return at === null ? [] : [{ id, at: Number(at) + offset, size, value: constant(args[1]) }];
  });
  const found = new Map<ValueId, Stored>();
  for (const load of func.blocks.flatMap(({ instrs }) => instrs)) {
    if (load.op !== 'load.memory' || load.signed) continue;
    const from = constant(load.args[0]);
    if (from === null) continue;
    const at = Number(from) + load.offset;
    const touching = known.filter(
      (cell) => overlaps(cell, at, load.size) && order.maybe(cell.id, load.id),
    );
    const [only] = touching;
    if (only === undefined || touching.length > 1 || only.value === null) continue;
    if (only.at !== at || only.size !== load.size || !order.always(only.id, load.id)) continue;
    const value = BigInt.asUintN(8 * load.size, only.value);
    found.set(load.id, { at, size: load.size, value });
  }
  return found;
}
