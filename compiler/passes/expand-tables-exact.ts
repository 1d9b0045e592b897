/** Look-ups in exact tables as straight code; the plans are those of compiler/tables/plan-exact. */

import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import {
  DENSE_BYTES,
  DENSE_SHIFT,
  type ExactPlan,
  type HashShape,
  SECOND_MULTIPLIER,
  stepShift,
} from '../tables/index.js';

export interface ExactLookup {
  readonly plan: ExactPlan;
  readonly image: string;
  readonly key: ValueId; // i64
  /** The fallback of `get`; null asks `has`. */
  readonly fallback: ValueId | null;
  readonly isFallbackZero: boolean;
  /** The value number of the answer. */
  readonly id: ValueId;
}

/** Emits a look-up: the value or the fallback, or 0|1 for `has`. */
export function emitExact(emit: Emitter, lookup: ExactLookup): void {
  const { plan } = lookup;
  switch (plan.kind) {
    case 'chain':
      emitChain(emit, lookup, plan);
      return;
    case 'dense':
      emitDense(emit, lookup, plan);
      return;
    case 'hash':
      emitHash(emit, lookup, plan);
      return;
  }
}

type PlanOf<K extends ExactPlan['kind']> = Extract<ExactPlan, { readonly kind: K }>;

/** Gives a value the number that the call had; later passes fold the addition of nothing. */
function name(emit: Emitter, value: ValueId, id: ValueId): void {
  emit.with('i32', 'or', value, 0, id);
}

function emitChain(emit: Emitter, { key, fallback, id }: ExactLookup, plan: PlanOf<'chain'>): void {
  let result = fallback ?? emit.constant('i32', 0);
  for (const entry of plan.entries.toReversed()) {
    const hit = emit.compareWith('i64', 'eq', key, entry.key);
    const value = emit.constant('i32', fallback === null ? 1 : entry.value);
    result = emit.select('i32', hit, value, result);
  }
  name(emit, result, id);
}

function emitDense(
  emit: Emitter,
  { image, key, fallback, isFallbackZero, id }: ExactLookup,
  plan: PlanOf<'dense'>,
): void {
  const index = emit.with('i64', 'sub', key, plan.first);
  const absent = emit.constant('i64', plan.count);
  const inside = emit.compare('lt_u', index, absent);
  const safe = emit.select('i64', inside, index, absent);
  const at = emit.with('i64', 'shl', safe, DENSE_SHIFT);
  const limit = plan.count * DENSE_BYTES;
  // The records of absent keys are 0 throughout, which is the answer where the fallback is 0.
  if (fallback !== null && isFallbackZero) {
    emit.loadImage(image, at, { offset: 0, limit, size: 4 }, id);
    return;
  }
  if (fallback === null) {
    const there = emit.loadImage(image, at, { offset: 4, limit, size: 4 });
    emit.compareWith('i32', 'ne', there, 0, id);
    return;
  }
  const record = emit.loadImage(image, at, { offset: 0, limit, size: 8 });
  const present = emit.with('i64', 'shr_u', record, 32);
  const hit = emit.compareWith('i64', 'ne', present, 0);
  emit.select('i32', hit, emit.wrap(record), fallback, id);
}

function emitHash(
  emit: Emitter,
  { image, key, fallback, id }: ExactLookup,
  plan: PlanOf<'hash'>,
): void {
  const { width, values } = plan;
  const mostCode = 2 ** plan.slotBits - 1;
  const type = width === 32 ? 'i32' : 'i64';
  const { hash, slot } = emitHashSlot(emit, { ...plan, image }, emitRotated(emit, plan, key));
  const size = width === 32 ? 4 : 8;
  const at = emit.with('i64', 'shl', slot, width === 32 ? 2 : 3);
  const record = emit.loadImage(image, at, { offset: 0, limit: mostCode * size, size });
  const code = emit.with(type, 'sub', emit.binary(type, 'xor', record, hash), 1);
  // Keys of 32 bits are hashed as such: what is larger is none of them.
  const isNarrow =
    width === 32 ? emit.compareWith('i64', 'eq', emit.with('i64', 'shr_u', key, 32), 0) : null;
  const isCode = (of?: ValueId): ValueId => emit.compareWith(type, 'lt_u', code, mostCode, of);
  const isHit = (of?: ValueId): ValueId =>
    isNarrow === null ? isCode(of) : emit.binary('i32', 'and', isNarrow, isCode(), of);
  if (fallback === null) {
    isHit(id);
    return;
  }
  const hit = isHit();
  const number = width === 32 ? code : emit.wrap(code);
  if (values === null) {
    emit.select('i32', hit, number, fallback, id);
    return;
  }
  const limit = (values.count - 1) * 4;
  const known = emit.select('i32', hit, number, emit.constant('i32', 0));
  const value = emit.loadImage(image, emit.with('i64', 'shl', emit.extend(known), 2), {
    offset: values.at,
    limit,
    size: 4,
  });
  emit.select('i32', hit, value, fallback, id);
}

/** A key (i64) as it is hashed. */
function emitRotated(emit: Emitter, { rotation, width }: PlanOf<'hash'>, key: ValueId): ValueId {
  if (rotation === 0) return key;
  const type = width === 32 ? 'i32' : 'i64';
  const from = width === 32 ? emit.wrap(key) : key;
  const high = emit.with(type, 'shl', from, rotation);
  const rotated = emit.binary(type, 'or', high, emit.with(type, 'shr_u', from, width - rotation));
  return width === 32 ? emit.extend(rotated) : rotated;
}

type PlacedHash = HashShape & { readonly image: string; readonly displacementsAt: number };

/** The slot of a key of 64 bits by a perfect hash: the number of a record, whatever that is. */
export function emitSlot(emit: Emitter, hash: PlacedHash, key: ValueId): ValueId {
  return emitHashSlot(emit, hash, key).slot;
}

/** The hash of a key (i64), of as many bits as the keys have, and its slot (i64). */
export function emitHashSlot(
  emit: Emitter,
  {
    width,
    multiplier,
    slotBits,
    bucketBits,
    displacementBytes,
    image,
    displacementsAt,
  }: PlacedHash,
  key: ValueId,
): { readonly hash: ValueId; readonly slot: ValueId } {
  const type = width === 32 ? 'i32' : 'i64';
  const widen = (value: ValueId): ValueId => (width === 32 ? emit.extend(value) : value);
  const first = emit.with(type, 'mul', width === 32 ? emit.wrap(key) : key, multiplier);
  const folded = emit.binary(type, 'xor', first, emit.with(type, 'shr_u', first, width / 2));
  const hash = emit.with(type, 'mul', folded, SECOND_MULTIPLIER[width]);

  const bucket = widen(emit.with(type, 'shr_u', hash, width - bucketBits));
  const index = displacementBytes === 1 ? bucket : emit.with('i64', 'shl', bucket, 1);
  const displacement = emit.loadImage(image, index, {
    offset: displacementsAt,
    limit: (2 ** bucketBits - 1) * displacementBytes,
    size: displacementBytes,
  });
  const step = emit.with(
    type,
    'or',
    emit.with(type, 'shr_u', hash, stepShift({ width, slotBits })),
    1,
  );
  const by = width === 32 ? displacement : emit.extend(displacement);
  const sum = emit.binary(type, 'add', hash, emit.binary(type, 'mul', by, step));
  return { hash, slot: widen(emit.with(type, 'and', sum, 2 ** slotBits - 1)) };
}
