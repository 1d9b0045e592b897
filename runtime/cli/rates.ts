/** Counts at two moments as rates. Counters that went back have begun anew. */

export interface Counted {
  readonly key: string;
  /** What is shown of it besides its rate. */
  readonly cells: readonly string[];
  readonly count: number;
}

export interface Rate extends Counted {
  /** A second, since the moment before; null at the first. */
  readonly rate: number | null;
}

const SECOND_MS = 1000;

/** Rates of what is counted now, the highest first, then by count. */
export function ratesOf(
  counted: readonly Counted[],
  before: ReadonlyMap<string, number> | null,
  ms: number,
): readonly Rate[] {
  return counted
    .map((one): Rate => {
      if (before === null || ms <= 0) return { ...one, rate: null };
      const last = before.get(one.key) ?? 0;
      const risen = one.count < last ? one.count : one.count - last;
      return { ...one, rate: (risen * SECOND_MS) / ms };
    })
    .sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || b.count - a.count || (a.key < b.key ? -1 : 1));
}
