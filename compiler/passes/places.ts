/** The few addresses that a value can be: a constant and a bounded, scaled index, or what comes together where ways meet. */
import { type Block, type BlockId, definitions, type Func, type ValueId } from '../ir/index.js';
import { addressLimits } from './address-limits.js';
import { arrivingValues } from './arriving-values.js';

/** With more addresses an access stays as it is: each is a comparison. */
const MOST_PLACES = 32;
const WRAP = 1n << 32n;
/** Steps from an address to what it comes from: three for each object that some ways made before. */
const MOST_STEPS = 40;

/** `from + i * step` for i below `count`, modulo 2^32: all that a value can be. */
interface Places {
  readonly from: bigint;
  readonly step: bigint;
  readonly count: bigint;
}
const ANYWHERE: Places = { from: 0n, step: 1n, count: WRAP };

/** All addresses, in order; none where they are too many. */
function addressesOf({ from, step, count }: Places): number[] {
  if (count > BigInt(MOST_PLACES)) return [];
  return Array.from({ length: Number(count) }, (_, i) => Number((from + BigInt(i) * step) % WRAP));
}

/** What a value can be in a block; nothing where that is not known, or too much. */
export type AddressesOf = (block: Block, value: ValueId) => readonly number[];

/** A function that answers for the values of `func`. */
export function addressFinder(func: Func): AddressesOf {
  const defs = definitions(func);
  const limit = addressLimits(func);
  const constant = (value: ValueId): bigint | null => {
    const def = defs.get(value);
    return def?.op === 'const' ? def.value : null;
  };
  const arrivals = arrivingValues(func);
  /** Of parameters; everything while it is looked for, as where a loop brings one to itself. */
  const known = new Map<ValueId, Places>();
  // A check of `i - 1` bounds i too.
  const moved = new Map<ValueId, { id: ValueId; by: bigint }[]>();
  for (const def of defs.values()) {
    const by = def.op === 'binary' && def.kind === 'add' ? constant(def.args[1]) : null;
    if (def.op !== 'binary' || by === null || def.type !== 'i32') continue;
    moved.set(def.args[0], [...(moved.get(def.args[0]) ?? []), { id: def.id, by }]);
  }
  const bounded = (at: BlockId, value: ValueId): Places => {
    const own = { from: 0n, step: 1n, count: limit(at, value) + 1n };
    const others = (moved.get(value) ?? []).map(({ id, by }) => ({
      from: (WRAP - by) % WRAP,
      step: 1n,
      count: limit(at, id) + 1n,
    }));
    return [own, ...others].reduce((a, b) => (b.count < a.count ? b : a));
  };
  const find = (at: BlockId, value: ValueId, depth: number): Places => {
    const plain = bounded(at, value);
    const def = defs.get(value);
    if (def?.op === 'const') return { from: def.value, step: 1n, count: 1n };
    if (def === undefined) {
      const found = joined(value, depth);
      return found.count < plain.count ? found : plain;
    }
    if (def?.op !== 'binary' || def.type !== 'i32' || depth === 0) return plain;
    const [a, b] = def.args;
    // A constant may come by several ways, as what an object takes does behind them.
    const one = (id: ValueId): bigint | null => {
      const found = defs.has(id) ? null : joined(id, depth - 1);
      return found?.count === 1n ? found.from : constant(id);
    };
    const [right, left] = [one(b), def.kind === 'shl' ? null : one(a)];
    const [of, by] = right === null ? [b, left] : [a, right];
    if (by === null) return plain;
    const inner = (): Places => find(at, of, depth - 1);
    const found = scaled(def.kind, by, inner);
    return found !== null && found.count < plain.count ? found : plain;
  };
  const joined = (param: ValueId, depth: number): Places => {
    const found = known.get(param);
    if (found !== undefined) return found;
    known.set(param, ANYWHERE);
    const from = depth === 0 ? [] : (arrivals.get(param) ?? []);
    const [first = ANYWHERE, ...rest] = from.map((one) => find(one.from, one.value, depth - 1));
    const all = rest.reduce(together, first);
    known.set(param, all);
    return all;
  };
  return (block, value) => addressesOf(find(block.id, value, MOST_STEPS));
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

/** All that either is, and what lies between in equal steps. */
function together(a: Places, b: Places): Places {
  const [low, high] = a.from <= b.from ? [a, b] : [b, a];
  const apart = [high.from - low.from, a.count > 1n ? a.step : 0n, b.count > 1n ? b.step : 0n];
  const step = apart.reduce(divisor);
  if (step === 0n) return a;
  const counts = [a, b].map(({ from, step: own, count }) => {
    return (from - low.from + (count - 1n) * own) / step + 1n;
  });
  const count = counts.sort((x, y) => (x < y ? -1 : 1)).at(-1) ?? 1n;
  // What wraps around is in no such order.
  const isPlain = low.from + (count - 1n) * step < WRAP;
  return isPlain ? { from: low.from, step, count } : ANYWHERE;
}

function scaled(kind: string, by: bigint, inner: () => Places): Places | null {
  const times = (factor: bigint): Places => {
    const { from, step, count } = inner();
    return { from: (from * factor) % WRAP, step: (step * factor) % WRAP, count };
  };
  if (kind === 'add') {
    const { from, step, count } = inner();
    return { from: (from + by) % WRAP, step, count };
  }
  if (kind === 'shl') return times(1n << (by & 31n));
  if (kind === 'mul') return times(by);
  if (kind === 'and' && by !== 0n) {
    const step = by & -by;
    return { from: 0n, step, count: by / step + 1n };
  }
  return null;
}
