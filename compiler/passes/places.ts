/**
 * The few addresses or texts that a value can be: a constant and a bounded, scaled index, what comes together where
 * ways meet, or what memory that no decision writes holds at such addresses.
 */
import {
  type Block,
  type BlockId,
  definitions,
  type Func,
  foldInstr,
  type Instr,
  MEMORY_IMAGE,
  type Module,
  readBytes,
  type ValueId,
  valueTypes,
} from '../ir/index.js';
import { addressLimits } from './address-limits.js';
import { arrivingValues } from './arriving-values.js';
import { decidedBranches } from './decided-branches.js';

/** With more addresses or texts an access stays as it is: each is a comparison. */
export const MOST_PLACES = 32;
const WRAP = 1n << 32n;
/** Steps from an address to what it comes from: three for each object that some ways made before. */
const MOST_STEPS = 40;
/** The same from what a branch decided: a class is told by a number before its object. */
const CONDITION_STEPS = 6;

/** All that a value can be, in order; null where that is too much, or not known. */
type Places = readonly bigint[] | null;

function placesOf(values: Iterable<bigint>): Places {
  const all = [...new Set(values)];
  return all.length > MOST_PLACES ? null : all.sort((a, b) => (a < b ? -1 : 1));
}

/** All that either is. */
function together(a: Places, b: Places): Places {
  return a === null || b === null ? null : placesOf([...a, ...b]);
}

/** All below a count, in steps. */
function upTo(count: bigint, step: bigint): Places {
  if (count > BigInt(MOST_PLACES)) return null;
  return Array.from({ length: Number(count) }, (_, i) => BigInt(i) * step);
}

/** What a value can be in a block; nothing where that is not known, or too much. */
export type AddressesOf = (block: Block, value: ValueId) => readonly number[];

/** Linear memory up to where a decision writes; empty where there is none. */
export function staticMemory(module: Module): Uint8Array {
  const memory = module.images.find(({ name }) => name === MEMORY_IMAGE)?.bytes;
  return memory?.subarray(0, module.scratchFrom) ?? new Uint8Array(0);
}

/** A function that answers for the values of `func`; `statics` is what loads may read, and nothing changes. */
export function addressFinder(func: Func, statics: Uint8Array): AddressesOf {
  const defs = definitions(func);
  const types = valueTypes(func);
  const limit = addressLimits(func);
  const decided = decidedBranches(func);
  const arrivals = arrivingValues(func);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  // A check of `i - 1` bounds i too.
  const moved = new Map<ValueId, { id: ValueId; by: bigint }[]>();
  for (const def of defs.values()) {
    const by = def.op === 'binary' && def.kind === 'add' ? constant(def.args[1]) : null;
    if (def.op !== 'binary' || by === null || def.type !== 'i32') continue;
    moved.set(def.args[0], [...(moved.get(def.args[0]) ?? []), { id: def.id, by }]);
  }
  const bounded = (at: BlockId, value: ValueId): Places => {
    const own = upTo(limit(at, value) + 1n, 1n);
    const others = (moved.get(value) ?? []).map(({ id, by }) => {
      const below = upTo(limit(at, id) + 1n, 1n);
      return below === null ? null : placesOf(below.map((n) => (n + WRAP - by) % WRAP));
    });
    return [own, ...others].reduce(fewer);
  };
  /** What `id` is where `value` is a place; null where that does not say it. */
  const given = (id: ValueId, value: ValueId, place: bigint, depth: number): bigint | null => {
    if (id === value) return place;
    const def = defs.get(id);
    if (def === undefined || depth === 0) return null;
    const of = (arg: ValueId): bigint | null => given(arg, value, place, depth - 1);
    return foldInstr(def, of, (arg) => types.get(arg) ?? 'i64', statics);
  };
  const isAsked = (id: ValueId, value: ValueId, depth: number): boolean => {
    if (id === value) return true;
    const def = defs.get(id);
    if (def === undefined || depth === 0 || !('args' in def)) return false;
    return def.args.some((arg) => isAsked(arg, value, depth - 1));
  };
  /** Without what the branches to a block exclude: no object is at 0 behind `if (object)`. */
  const possible = (at: BlockId, value: ValueId, places: Places): Places => {
    let left = places;
    if (left === null) return null;
    for (const { condition, holds } of decided(at)) {
      if (!isAsked(condition, value, CONDITION_STEPS)) continue;
      left = left.filter((place) => {
        const is = given(condition, value, place, CONDITION_STEPS);
        return is === null || (is !== 0n) === holds;
      });
    }
    return left;
  };
  const known = new Map<BlockId, Map<ValueId, Places>>();
  /** What was found is kept; nothing is known while it is looked for, as where a loop brings a value to itself. */
  const find = (at: BlockId, value: ValueId, depth: number): Places => {
    const here = known.get(at) ?? new Map<ValueId, Places>();
    known.set(at, here);
    const before = here.get(value);
    if (before !== undefined) return before;
    here.set(value, null);
    const found = possible(at, value, fewer(computed(at, value, depth - 1), bounded(at, value)));
    here.set(value, found);
    return found;
  };
  const computed = (at: BlockId, value: ValueId, depth: number): Places => {
    const def = defs.get(value);
    if (def?.op === 'const') return [def.value];
    if (depth === 0) return null;
    if (def === undefined) {
      const from = arrivals.get(value) ?? [];
      const [first = null, ...rest] = from.map((one) => find(one.from, one.value, depth));
      return rest.reduce(together, first);
    }
    if (def.type !== 'i32') return null;
    if (def.op === 'select') {
      return together(find(at, def.args[1], depth), find(at, def.args[2], depth));
    }
    if (def.op === 'load.memory' || def.op === 'load.image') {
      return read(def, find(at, def.args[0], depth), statics);
    }
    if (def.op !== 'binary') return null;
    const [a, b] = def.args;
    // A constant may come by several ways, as what an object takes does behind them.
    const only = (id: ValueId): bigint | null => {
      const [first = null, ...others] = find(at, id, depth) ?? [];
      return others.length === 0 ? first : null;
    };
    const right = only(b);
    const by = right ?? (def.kind === 'shl' ? null : only(a));
    const each = (): Places => find(at, right === null ? b : a, depth);
    if (by !== null) return scaled(def.kind, by, each);
    // An element of one of a few lists.
    return def.kind === 'add' ? sums(find(at, a, depth), find(at, b, depth)) : null;
  };
  return (block, value) => (find(block.id, value, MOST_STEPS) ?? []).map(Number);
}

function sums(a: Places, b: Places): Places {
  if (a === null || b === null) return null;
  return placesOf(a.flatMap((one) => b.map((other) => (one + other) % WRAP)));
}

type Load = Instr & { readonly op: 'load.memory' | 'load.image' };

/** What lies at some addresses; null where any of it may change. */
function read(load: Load, places: Places, statics: Uint8Array): Places {
  const { offset, size, type } = load;
  if (load.op === 'load.image' && load.image !== MEMORY_IMAGE) return null;
  const last = statics.length - offset - size;
  if (places === null || places.some((place) => place > last)) return null;
  const signed = load.op === 'load.memory' && load.signed;
  return placesOf(places.map((at) => readBytes(statics, Number(at) + offset, size, signed, type)));
}

function fewer(a: Places, b: Places): Places {
  if (a === null || b === null) return a ?? b;
  return b.length < a.length ? b : a;
}

function scaled(kind: string, by: bigint, inner: () => Places): Places {
  const each = (change: (place: bigint) => bigint): Places => {
    const places = inner();
    return places === null ? null : placesOf(places.map((place) => change(place) % WRAP));
  };
  if (kind === 'add') return each((place) => place + by);
  if (kind === 'shl') return each((place) => place << (by & 31n));
  if (kind === 'mul') return each((place) => place * by);
  if (kind === 'and' && by !== 0n) {
    const step = by & -by;
    return upTo(by / step + 1n, step);
  }
  return null;
}
