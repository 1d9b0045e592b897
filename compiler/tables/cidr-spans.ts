/**
 * Many prefixes that share little, as spans of addresses: where a trie has a node for each of them, this
 * is what they are, and an index. The range of all is cut into equal, aligned buckets, and spans at their
 * bounds, so that a record lies in one bucket and is told apart from its neighbours by low bits alone. Image:
 *
 *   index     u64 for each BUCKETS_A_NODE buckets: records before the first of them (BASE_BITS), then for each
 *             the records up to its end (COUNT_BITS), counted from there. The last bucket is none: what lies
 *             outside of the range is sent there
 *   records   where a span begins in its bucket, and what its end is beyond that, of `width` bytes each, in
 *             units of 2^unused. Behind the last there are so many more that `most` from any can be loaded
 *
 * Two loads decide, of which the first one's index is an eighth of the rest and stays in the cache.
 */
import type { CidrPrefix } from './plan-cidr.js';

export interface SpansPlan {
  readonly kind: 'spans';
  /** Bytes of each half of a record, as wide as a bucket is. */
  readonly width: SpanWidth;
  readonly unused: number;
  /** Bits of an address within a bucket; the rest of it, less `first`, is the bucket's number. */
  readonly shift: number;
  readonly first: bigint;
  /** Without the one that is none. */
  readonly buckets: number;
  /** Most records of a bucket. */
  readonly most: number;
  readonly recordsAt: number;
  readonly records: number;
  readonly bytes: Uint8Array;
}

export type SpanWidth = 2 | 4 | 8;

export const BUCKETS_A_NODE = 8;
export const BASE_BITS = 24;
export const COUNT_BITS = 5;
/** All records of a bucket are compared, without a branch: with more a trie is quicker. */
const MAX_IN_BUCKET = 15;
/** Two of three buckets are empty or hold one span where they lie anywhere. */
const BUCKETS_A_SPAN = 1.75;
/** Sums and differences of two of them keep their sign in 64 bits. */
const MAX_WIDTH = 62;

interface Span {
  readonly low: bigint;
  readonly high: bigint;
}

/** Builds spans of sorted, disjoint prefixes; null where they are too dense in places, too long, or too large. */
export function buildSpans(
  prefixes: readonly CidrPrefix[],
  { family, maxBytes }: { readonly family: 4 | 6; readonly maxBytes: number },
): SpansPlan | null {
  const end = family === 4 ? 128 : 64;
  if (prefixes.some(({ length }) => length > end)) return null;
  const spans = join(prefixes, family);
  const [low, high] = [spans[0]?.low, spans.at(-1)?.high];
  if (low === undefined || high === undefined) return null;
  const unused = unusedBits(spans);
  let shift = 0;
  while ((high - low) >> BigInt(shift) >= Math.floor(spans.length * BUCKETS_A_SPAN)) shift += 1;
  // Where spans crowd together, finer buckets part them, as long as there is room for those.
  for (; shift >= unused; shift -= 1) {
    if (shift - unused > MAX_WIDTH) continue;
    const buckets = Number((high >> BigInt(shift)) - (low >> BigInt(shift))) + 1;
    if (buckets > maxBytes) return null;
    const plan = layOut(spans, { shift, unused, buckets, first: low >> BigInt(shift) });
    if (plan !== null) return plan.bytes.length <= maxBytes ? plan : null;
  }
  return null;
}

/** The image; null where a bucket holds too many spans, or those of a node cannot be counted. */
function layOut(
  spans: readonly Span[],
  shape: Pick<SpansPlan, 'shift' | 'unused' | 'buckets' | 'first'>,
): SpansPlan | null {
  const { shift, unused, buckets, first } = shape;
  const { starts, pieces } = cut(spans, shape);
  const nodes = Math.floor(buckets / BUCKETS_A_NODE) + 1;
  let most = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    most = Math.max(most, (starts[bucket + 1] ?? 0) - (starts[bucket] ?? 0));
  }
  if (most > MAX_IN_BUCKET || pieces.length >= 2 ** BASE_BITS) return null;
  const width = widthOf(shift - unused);
  const recordsAt = nodes * 8;
  const records = pieces.length + most;
  const bytes = new Uint8Array(recordsAt + records * width * 2);
  const view = new DataView(bytes.buffer);
  for (let node = 0; node < nodes; node++) {
    const before = starts[Math.min(node * BUCKETS_A_NODE, buckets)] ?? 0;
    let word = BigInt(before);
    for (let i = 0; i < BUCKETS_A_NODE; i++) {
      const count = (starts[Math.min(node * BUCKETS_A_NODE + i + 1, buckets)] ?? 0) - before;
      if (count >= 2 ** COUNT_BITS) return null;
      word |= BigInt(count) << BigInt(BASE_BITS + COUNT_BITS * i);
    }
    view.setBigUint64(node * 8, word, true);
  }
  pieces.forEach(({ low, high }, i) => {
    const at = recordsAt + i * width * 2;
    putHalf(view, at, low, width);
    putHalf(view, at + width, high - low, width);
  });
  return { kind: 'spans', width, unused, shift, first, buckets, most, recordsAt, records, bytes };
}

/** Spans cut at the bounds of buckets, in units of 2^unused from there, and where those of each bucket start. */
function cut(
  spans: readonly Span[],
  { shift, unused, buckets, first }: Pick<SpansPlan, 'shift' | 'unused' | 'buckets' | 'first'>,
): { readonly starts: Uint32Array; readonly pieces: readonly Span[] } {
  const starts = new Uint32Array(buckets + 1);
  const pieces: Span[] = [];
  const [by, unit] = [BigInt(shift), BigInt(unused)];
  const last = (1n << BigInt(shift - unused)) - 1n;
  const within = (value: bigint): bigint => (value >> unit) & last;
  for (const { low, high } of spans) {
    const to = Number((high >> by) - first);
    for (let bucket = Number((low >> by) - first), from = within(low); bucket <= to; bucket++) {
      pieces.push({ low: from, high: bucket === to ? within(high) : last });
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + 1;
      from = 0n;
    }
  }
  for (let bucket = 1; bucket <= buckets; bucket++) {
    starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
  }
  return { starts, pieces };
}

/** Low bits that are 0 in each beginning, and 1 in each end. */
function unusedBits(spans: readonly Span[]): number {
  const used = spans.reduce((bits, { low, high }) => bits | low | (high + 1n), 0n);
  let unused = 0;
  while (unused < 63 && ((used >> BigInt(unused)) & 1n) === 0n) unused += 1;
  return unused;
}

function widthOf(bits: number): SpanWidth {
  if (bits <= 16) return 2;
  return bits <= 32 ? 4 : 8;
}

function putHalf(view: DataView, at: number, value: bigint, width: SpanWidth): void {
  if (width === 2) view.setUint16(at, Number(value), true);
  else if (width === 4) view.setUint32(at, Number(value), true);
  else view.setBigUint64(at, value, true);
}

/** Spans that do not touch. */
function join(prefixes: readonly CidrPrefix[], family: 4 | 6): Span[] {
  const [from, bits] = family === 4 ? [12, 128] : [0, 64];
  const spans: Span[] = [];
  for (const { bytes, length } of prefixes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const low = family === 4 ? BigInt(view.getUint32(from)) : view.getBigUint64(from);
    const high = low + (1n << BigInt(bits - length)) - 1n;
    const before = spans.at(-1);
    if (before === undefined || before.high + 1n !== low) spans.push({ low, high });
    else spans.splice(-1, 1, { low: before.low, high });
  }
  return spans;
}
