/** Values of a symbolic run put together from others: by pairs of what they may be, by a choice, by the way that was taken. */
import { ALL, NONE } from './diagram.js';
import type { Guard, Guards } from './guards.js';
import { constant, type Leaf, rangeLeaf, type Value } from './leaf.js';

/** Pairs of possibilities that are looked at one by one. */
const MAX_PAIRS = 20_000;
/** What may be so many constants is told as the range of them, where that is enough. */
const MANY = 48;

/** Gathers what a value may be. */
export class ValueBuilder {
  readonly #guards: Guards;
  readonly #parts = new Map<string, { readonly leaf: Leaf; guard: Guard }>();

  constructor(guards: Guards) {
    this.#guards = guards;
  }

  add(leaf: Leaf, guard: Guard): void {
    if (guard === NONE) return;
    const known = this.#parts.get(leaf.key);
    if (known === undefined) this.#parts.set(leaf.key, { leaf, guard });
    else known.guard = this.#guards.or(known.guard, guard);
  }

  addAll(value: Value, where: Guard): void {
    for (const [leaf, guard] of value) this.add(leaf, this.#guards.and(guard, where));
  }

  get value(): Value {
    return [...this.#parts.values()].map(({ leaf, guard }) => [leaf, guard] as const);
  }

  /** As one range where it is very many constants. */
  get widened(): Value {
    const { value } = this;
    if (value.length <= MANY) return value;
    let [low, high]: [bigint | null, bigint | null] = [null, null];
    let where: Guard = NONE;
    for (const [leaf, guard] of value) {
      const [from, to] =
        leaf.kind === 'const'
          ? [leaf.value, leaf.value]
          : leaf.kind === 'range'
            ? [leaf.low, leaf.high]
            : [null, null];
      if (from === null || to === null) return value;
      low = low === null || from < low ? from : low;
      high = high === null || to > high ? to : high;
      where = this.#guards.or(where, guard);
    }
    return low === null || high === null ? value : [[rangeLeaf(low, high), where]];
  }
}

export const NOTHING: Value = [];

/** A value that is the same for all inputs. */
export function always(leaf: Leaf): Value {
  return [[leaf, ALL]];
}

/** Yes where a guard holds, as 1, else 0. */
export function ofTruth(guards: Guards, holds: Guard): Value {
  const both = [
    [constant(1n), holds],
    [constant(0n), guards.not(holds)],
  ] as const;
  return both.filter(([, guard]) => guard !== NONE);
}

/** What becomes of each possibility. */
export function mapValue(guards: Guards, value: Value, make: (leaf: Leaf) => Value): Value {
  const [only] = value;
  if (only !== undefined && value.length === 1 && only[1] === ALL) return make(only[0]);
  const built = new ValueBuilder(guards);
  for (const [leaf, guard] of value) built.addAll(make(leaf), guard);
  return built.value;
}

/** What becomes of each pair of possibilities; null where there are too many. */
export function mapPairs(
  guards: Guards,
  a: Value,
  b: Value,
  make: (a: Leaf, b: Leaf) => Value,
): Value | null {
  if (a.length * b.length > MAX_PAIRS) return null;
  if (b.length === 1) {
    const [[leaf, guard] = [constant(0n), ALL]] = b;
    const value = mapValue(guards, a, (one) => make(one, leaf));
    return guard === ALL ? value : restrict(guards, value, guard);
  }
  const built = new ValueBuilder(guards);
  for (const [one, guardA] of a) {
    for (const [other, guardB] of b) {
      const guard = guards.and(guardA, guardB);
      if (guard !== NONE) built.addAll(make(one, other), guard);
    }
  }
  return built.value;
}

/** A value for some inputs only. */
export function restrict(guards: Guards, value: Value, where: Guard): Value {
  if (where === ALL) return value;
  return value.flatMap(([leaf, guard]) => {
    const both = guards.and(guard, where);
    return both === NONE ? [] : [[leaf, both] as const];
  });
}
