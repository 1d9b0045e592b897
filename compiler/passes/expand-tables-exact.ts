/** Look-ups in exact tables as straight code; the plans are those of compiler/tables/plan-exact. */

import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import { DENSE_BYTES, DENSE_SHIFT, type ExactPlan, SECOND_MULTIPLIER } from '../tables/index.js';

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
  const slots = 2 ** plan.slotBits;
  const slot = emitSlot(emit, { ...plan, image, displacementsAt: slots * plan.record }, key);
  const at = emit.with('i64', 'shl', slot, plan.record === 8 ? 3 : 4);
  const limit = (slots - 1) * plan.record;
  const record = emit.loadImage(image, at, { offset: 0, limit, size: 8 });
  const stored = plan.record === 8 ? emit.with('i64', 'shr_u', record, 32) : record;
  if (fallback === null) {
    emit.compare('eq', stored, key, id);
    return;
  }
  const hit = emit.compare('eq', stored, key);
  const value =
    plan.record === 8
      ? emit.wrap(record)
      : emit.loadImage(image, at, { offset: 8, limit, size: 4 });
  emit.select('i32', hit, value, fallback, id);
}

/** The slot of a key by a perfect hash: the number of a record, whatever that is. */
export function emitSlot(
  emit: Emitter,
  hash: Pick<PlanOf<'hash'>, 'multiplier' | 'slotBits' | 'bucketBits'> & {
    readonly image: string;
    readonly displacementsAt: number;
  },
  key: ValueId,
): ValueId {
  const first = emit.with('i64', 'mul', key, hash.multiplier);
  const folded = emit.binary('i64', 'xor', first, emit.with('i64', 'shr_u', first, 32));
  const mixed = emit.with('i64', 'mul', folded, SECOND_MULTIPLIER);

  const bucket = emit.with('i64', 'shr_u', mixed, 64 - hash.bucketBits);
  const displacement = emit.loadImage(hash.image, emit.with('i64', 'shl', bucket, 1), {
    offset: hash.displacementsAt,
    limit: (2 ** hash.bucketBits - 1) * 2,
    size: 2,
  });
  const step = emit.with('i64', 'or', emit.with('i64', 'shr_u', mixed, 32), 1);
  const moved = emit.binary('i64', 'mul', emit.extend(displacement), step);
  const sum = emit.binary('i64', 'add', mixed, moved);
  return emit.with('i64', 'and', sum, 2 ** hash.slotBits - 1);
}
