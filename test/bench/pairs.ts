/**
 * Measuring as a ratio against a peer in the same run: interleaved pairs (ours, peer, ours, ...), the
 * median and quartiles of the pairs' ratios. A single figure on a shared machine says nothing; only
 * neighbours in time are compared.
 */
export interface BenchResult {
  readonly bench: string;
  readonly metric: string;
  readonly value: number; // median of ours
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number; // median of the peer's
  readonly ratio: number; // median of ours / peer, pair by pair
  readonly low: number; // quartiles of the ratio (or of `value` where the limit is on the difference)
  readonly high: number;
  readonly pairs: number;
  readonly limit: Limit | null; // null: reported, not judged
  readonly held: 'yes' | 'no' | 'inconclusive' | null;
}

export interface Limit {
  readonly kind: 'ratio-at-most' | 'ratio-at-least' | 'difference-at-most';
  readonly value: number;
}

export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}
const sort = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
export const medianOf = (values: readonly number[]): number => quantile(sort(values), 0.5);

/** What is compared: the names of a figure, and the limit that it is judged by. */
export type Figure = Pick<BenchResult, 'bench' | 'metric' | 'unit' | 'peer' | 'limit'>;

export interface PairSpec extends Figure {
  readonly pairs?: number;
  /** Slices of a sample; see SLICES. */
  readonly slices?: number;
  /**
   * What a sample is of its slices. The best, where a slice can only be hindered; the median, where it
   * can be lucky too: a connection's slice runs half as fast again where its memory happens to lie well.
   */
  readonly sample?: 'best' | 'median';
  readonly limit: Limit;
  readonly ours: () => number;
  readonly theirs: () => number;
}

/** Slices of one sample: what other guests of the machine take is never given, so the best is nearest. */
const SLICES = 5;

/** One sample of each side: of short slices, taken by turns. */
function samplePair(spec: PairSpec, oursFirst: boolean): { ours: number; theirs: number } {
  const best = spec.limit.kind === 'ratio-at-least' ? Math.max : Math.min;
  const sampleOf = (slices: readonly number[]): number =>
    spec.sample === 'median' ? medianOf(slices) : best(...slices);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < (spec.slices ?? SLICES); i++) {
    if (oursFirst) ours.push(spec.ours());
    theirs.push(spec.theirs());
    if (!oursFirst) ours.push(spec.ours());
  }
  return { ours: sampleOf(ours), theirs: sampleOf(theirs) };
}

/** Runs the pairs (after one uncounted pair to warm up) and judges the quartiles against the limit. */
export function measurePairs(spec: PairSpec): BenchResult {
  const pairs = Math.max(11, spec.pairs ?? 11);
  const ours: number[] = [];
  const theirs: number[] = [];
  spec.ours();
  spec.theirs();
  for (let i = 0; i < pairs; i++) {
    // The order alternates, so that drift hits both alike.
    const sample = samplePair(spec, i % 2 === 0);
    ours.push(sample.ours);
    theirs.push(sample.theirs);
  }
  const { bench, metric, unit, peer, limit } = spec;
  return judgePairs({ bench, metric, unit, peer, limit }, ours, theirs);
}

/** Judges pairs that were measured: the quartiles of their ratios (or differences) against the limit. */
export function judgePairs(
  figure: Figure,
  ours: readonly number[],
  theirs: readonly number[],
): BenchResult {
  const { limit } = figure;
  const compare =
    limit?.kind === 'difference-at-most'
      ? ours.map((value, i) => value - (theirs[i] ?? Number.NaN))
      : ours.map((value, i) => value / (theirs[i] ?? Number.NaN));
  const sorted = sort(compare);
  const low = quantile(sorted, 0.25);
  const high = quantile(sorted, 0.75);
  return {
    ...figure,
    low,
    high,
    value: medianOf(ours),
    peerValue: medianOf(theirs),
    ratio: medianOf(ours.map((value, i) => value / (theirs[i] ?? Number.NaN))),
    pairs: ours.length,
    held: limit === null ? null : judge(limit, low, high),
  };
}

function judge({ kind, value }: Limit, low: number, high: number): 'yes' | 'no' | 'inconclusive' {
  const least = kind === 'ratio-at-least';
  const good = least ? low >= value : high <= value;
  const bad = least ? high < value : low > value;
  return good ? 'yes' : bad ? 'no' : 'inconclusive';
}
