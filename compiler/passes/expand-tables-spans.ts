/** Look-ups in sorted spans of addresses as straight code; the plan is that of compiler/tables/cidr-spans. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import type { SpansPlan } from '../tables/index.js';

/** Emits a look-up of the significant bits of an address, as a number (i64); returns 0|1. */
export function emitSpans(
  emit: Emitter,
  plan: SpansPlan,
  { image, address }: { readonly image: string; readonly address: ValueId },
): ValueId {
  const isBehind = emit.compareWith('i64', 'ge_u', address, plan.base);
  const distance = emit.with('i64', 'sub', address, plan.base);
  const bucket = emit.with('i64', 'shr_u', distance, plan.shift);
  const last = emit.constant('i64', plan.buckets - 1);
  const safe = emit.select('i64', emit.compare('lt_u', bucket, last), bucket, last);
  const before = emit.loadImage(image, emit.with('i64', 'shl', safe, 2), {
    offset: 0,
    limit: (plan.buckets - 1) * 4,
    size: 4,
  });
  const end = (record: ValueId, offset: number): ValueId => {
    const at = emit.with('i64', 'shl', record, plan.width === 4 ? 3 : 4);
    const limit = (plan.records - 1) * plan.width * 2;
    const where = { offset: plan.recordsAt + offset, limit, size: plan.width };
    const found = emit.loadImage(image, at, where);
    return plan.width === 4 ? emit.extend(found) : found;
  };
  const place = emit.with('i64', 'shr_u', distance, plan.unused);
  let record = emit.extend(before);
  for (let step = plan.steps - 1; step >= 0; step--) {
    const further = emit.with('i64', 'add', record, 2 ** step);
    const begins = emit.compare('le_u', end(further, 0), place);
    record = emit.select('i64', begins, further, record);
  }
  const isIn = emit.compare('le_u', place, end(record, plan.width));
  return emit.binary('i32', 'and', isBehind, isIn);
}
