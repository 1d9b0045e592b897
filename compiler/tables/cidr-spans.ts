/**
 * Many prefixes that share little, as sorted spans of addresses: where a trie has a node for each of
 * them, this is what they are, and an index. The index cuts the range of all into equal buckets and says
 * how many spans begin before each; a few halvings among those of one bucket find the last span that
 * begins at or before an address, and its end decides. Image:
 *
 *   index     u32 a bucket: spans that begin before it
 *   records   low and high end of a span, of `width` bytes each, both within it, as distances from the
 *             first span without the `unused` low bits, which are the same for all. Record 0 is no span, so
 *             that record n is the n-th; the last one is repeated, so that halving never runs past it
 */
import type { CidrPrefix } from './plan-cidr.js';

export interface SpansPlan {
  readonly kind: 'spans';
  /** Bytes of an end: 4 where all distances fit. */
  readonly width: 4 | 8;
  readonly unused: number;
  /** Where the first span begins. */
  readonly base: bigint;
  /** Bits of an address within a bucket. */
  readonly shift: number;
  readonly buckets: number;
  /** Halvings; a bucket has less than 2^steps spans. */
  readonly steps: number;
  readonly recordsAt: number;
  readonly records: number;
  readonly bytes: Uint8Array;
}

/** With more halvings than this a trie is quicker, and not large: so many neighbours share its nodes. */
const MAX_STEPS = 5;
/** With spans of IPv4 the image stays within three times five bytes a prefix. */
const BUCKETS_A_SPAN = 1.75;

interface Span {
  readonly low: bigint;
  readonly high: bigint;
}

/** Builds spans of sorted, disjoint prefixes; null where they are too dense in places, or too long. */
export function buildSpans(prefixes: readonly CidrPrefix[], family: 4 | 6): SpansPlan | null {
  const end = family === 4 ? 128 : 64;
  if (prefixes.some(({ length }) => length > end)) return null;
  const spans = join(prefixes, family);
  const base = spans[0]?.low;
  const range = (spans.at(-1)?.low ?? 0n) - (base ?? 0n);
  if (base === undefined) return null;
  const ends = spans.map(({ low, high }) => [low - base, high - base] as const);
  const unused = unusedBits(ends);
  const farthest = (ends.at(-1)?.[1] ?? 0n) >> BigInt(unused);
  const width = farthest <= 0xffffffffn ? 4 : 8;
  let shift = 0;
  const mostBuckets = BigInt(Math.floor(spans.length * BUCKETS_A_SPAN));
  while (range >> BigInt(shift) >= mostBuckets) shift += 1;
  const buckets = Number(range >> BigInt(shift)) + 1;
  const { index, most } = indexOf(spans, { base, shift, buckets });
  const steps = 32 - Math.clz32(most);
  if (steps > MAX_STEPS) return null;
  const recordsAt = Math.ceil(buckets / 2) * 8;
  const records = spans.length + 2 ** steps;
  const bytes = new Uint8Array(recordsAt + records * width * 2);
  const view = new DataView(bytes.buffer);
  index.forEach((count, bucket) => {
    view.setUint32(bucket * 4, count, true);
  });
  for (let i = 1; i < records; i++) {
    const [low, high] = ends[Math.min(i, ends.length) - 1] ?? [0n, 0n];
    const at = recordsAt + i * width * 2;
    putEnd(view, at, low >> BigInt(unused), width);
    putEnd(view, at + width, high >> BigInt(unused), width);
  }
  return { kind: 'spans', width, unused, base, shift, buckets, steps, recordsAt, records, bytes };
}

/** Low bits that are 0 in each distance of a beginning, and 1 in each of an end. */
function unusedBits(ends: readonly (readonly [bigint, bigint])[]): number {
  const used = ends.reduce((bits, [low, high]) => bits | low | (high + 1n), 0n);
  let unused = 0;
  while (unused < 63 && ((used >> BigInt(unused)) & 1n) === 0n) unused += 1;
  return unused;
}

function putEnd(view: DataView, at: number, value: bigint, width: 4 | 8): void {
  if (width === 4) view.setUint32(at, Number(value), true);
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

/** How many spans begin before each bucket, and the most that begin in one. */
function indexOf(
  spans: readonly Span[],
  { base, shift, buckets }: Pick<SpansPlan, 'base' | 'shift' | 'buckets'>,
): { readonly index: Uint32Array; readonly most: number } {
  const begin = new Uint32Array(buckets + 1);
  for (const { low } of spans) {
    const bucket = Number((low - base) >> BigInt(shift));
    begin[bucket + 1] = (begin[bucket + 1] ?? 0) + 1;
  }
  let most = 0;
  for (let bucket = 1; bucket <= buckets; bucket++) {
    most = Math.max(most, begin[bucket] ?? 0);
    begin[bucket] = (begin[bucket] ?? 0) + (begin[bucket - 1] ?? 0);
  }
  return { index: begin.subarray(0, buckets), most };
}
