/**
 * Look-ups in spans of addresses; the plan is that of compiler/tables/cidr-spans. Which span of a bucket
 * holds an address is as good as random, so it is not branched on: a difference that falls below zero
 * has its sign bit, and signs are joined.
 */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import { BASE_BITS, BUCKETS_A_NODE, COUNT_BITS, type SpansPlan } from '../tables/index.js';

/** So many records are compared in any case; more in a bucket are rare. */
const AT_ONCE = 3;

export interface SpansLookup {
  readonly plan: SpansPlan;
  readonly image: string;
  /** The significant bits of an address, as a number (i64). */
  readonly address: ValueId;
}
/** A bucket's records, and what the first of them say. */
export interface SpansFound {
  /** i64, with its sign bit where none of them holds the address. */
  readonly outside: ValueId;
  /** True where more have to be asked (`emitMore`); null where no bucket has more. */
  readonly hasMore: ValueId | null;
  readonly bucket: Bucket;
}
interface Bucket {
  readonly at: ValueId;
  readonly count: ValueId;
  readonly place: ValueId;
}

/** Emits the look-up of the first records of the address's bucket. */
export function emitSpans(emit: Emitter, lookup: SpansLookup): SpansFound {
  const { plan, image, address } = lookup;
  const number = emit.with(
    'i64',
    'sub',
    emit.with('i64', 'shr_u', address, plan.shift),
    plan.first,
  );
  const none = emit.constant('i64', plan.buckets);
  const bucket = emit.select('i64', emit.compare('lt_u', number, none), number, none);
  const at = emit.with('i64', 'and', bucket, -BUCKETS_A_NODE);
  const limit = Math.floor(plan.buckets / BUCKETS_A_NODE) * 8;
  const node = emit.loadImage(image, at, { offset: 0, limit, size: 8 });
  const before = emit.with('i64', 'and', node, 2 ** BASE_BITS - 1);
  // Behind a count of nothing, which is what lies before the first bucket.
  const counts = emit.with('i64', 'shl', emit.with('i64', 'shr_u', node, BASE_BITS), COUNT_BITS);
  const place = emit.with('i64', 'and', bucket, BUCKETS_A_NODE - 1);
  const counted = emit.binary('i64', 'shr_u', counts, emit.with('i64', 'mul', place, COUNT_BITS));
  const most = 2 ** COUNT_BITS - 1;
  const start = emit.with('i64', 'and', counted, most);
  const end = emit.with('i64', 'and', emit.with('i64', 'shr_u', counted, COUNT_BITS), most);
  const count = emit.binary('i64', 'sub', end, start);
  const record = emit.binary('i64', 'add', before, start);
  const found: Bucket = {
    at: emit.with('i64', 'mul', record, plan.width * 2),
    count,
    place: emit.with(
      'i64',
      'and',
      emit.with('i64', 'shr_u', address, plan.unused),
      2n ** BigInt(plan.shift - plan.unused) - 1n,
    ),
  };
  return {
    bucket: found,
    outside: emitRecords(emit, lookup, found, { from: 0, to: Math.min(plan.most, AT_ONCE) }),
    hasMore: plan.most > AT_ONCE ? emit.compareWith('i64', 'gt_u', count, AT_ONCE) : null,
  };
}

/** Emits the compares of what emitSpans has left; the result is as `outside`. */
export function emitMore(
  emit: Emitter,
  lookup: SpansLookup,
  { bucket, outside }: SpansFound,
): ValueId {
  const range = { from: AT_ONCE, to: lookup.plan.most };
  return emit.binary('i64', 'and', outside, emitRecords(emit, lookup, bucket, range));
}

/** 0|1 from a sign. */
export function emitInside(emit: Emitter, outside: ValueId): ValueId {
  return emit.wrap(emit.with('i64', 'xor', emit.with('i64', 'shr_u', outside, 63), 1));
}

function emitRecords(
  emit: Emitter,
  { plan, image }: SpansLookup,
  { at, count, place }: Bucket,
  { from, to }: { readonly from: number; readonly to: number },
): ValueId {
  const { width } = plan;
  const limit = (plan.records - plan.most) * width * 2;
  const load = (offset: number, size: 4 | 8): ValueId =>
    emit.loadImage(image, at, { offset: plan.recordsAt + offset, limit, size });
  /** Both halves of a record. */
  const halves = (i: number): readonly [ValueId, ValueId] => {
    if (width === 8) return [load(i * 16, 8), load(i * 16 + 8, 8)];
    const word = width === 2 ? emit.extend(load(i * 4, 4)) : load(i * 8, 8);
    const bits = width * 8;
    return [emit.with('i64', 'and', word, 2 ** bits - 1), emit.with('i64', 'shr_u', word, bits)];
  };
  let outside: ValueId | null = null;
  for (let i = from; i < to; i++) {
    const [low, size] = halves(i);
    const beyond = emit.binary('i64', 'sub', place, low);
    const left = emit.binary('i64', 'sub', size, beyond);
    const unlike = emit.binary('i64', 'or', beyond, left);
    const isLast = emit.with('i64', 'sub', count, i + 1);
    const signs = emit.binary('i64', 'or', unlike, isLast);
    outside = outside === null ? signs : emit.binary('i64', 'and', outside, signs);
  }
  return outside ?? emit.constant('i64', -1);
}
