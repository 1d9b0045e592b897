/** The few addresses that a value can be: a constant, and a bounded, scaled index. */
import { type Block, type BlockId, definitions, type Func, type ValueId } from '../ir/index.js';
import { addressLimits } from './address-limits.js';

/** With more addresses an access stays as it is: each is a comparison. */
const MOST_PLACES = 32;
const WRAP = 1n << 32n;

/** `from + i * step` for i below `count`, modulo 2^32: all that a value can be. */
interface Places {
  readonly from: bigint;
  readonly step: bigint;
  readonly count: bigint;
}
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
    if (def?.op !== 'binary' || def.type !== 'i32' || depth === 0) return plain;
    const isSwapped = def.kind !== 'shl' && constant(def.args[1]) === null;
    const [of, factor] = isSwapped ? [def.args[1], def.args[0]] : def.args;
    const by = constant(factor);
    if (by === null) return plain;
    const inner = (): Places => find(at, of, depth - 1);
    const found = scaled(def.kind, by, inner);
    return found !== null && found.count < plain.count ? found : plain;
  };
  return (block, value) => addressesOf(find(block.id, value, 8));
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
