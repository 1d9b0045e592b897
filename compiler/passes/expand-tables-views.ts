/** Look-ups of views in tables as straight code; the plans are those of compiler/tables/plan-views. */
import { HEAD_MAX } from '../abi/index.js';
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import { KEY_HEADER_BYTES, type ViewPlan } from '../tables/index.js';
import { emitExact } from './expand-tables-exact.js';
import { HASH_FUNCTION, maskWord, partsOf } from './expand-views.js';

export interface ViewLookup {
  /** Null for a table without entries. */
  readonly plan: ViewPlan | null;
  readonly images: { readonly hashes: string; readonly keys: string };
  readonly request: ValueId;
  readonly view: ValueId;
  /** The fallback of `get`; null asks `has`. */
  readonly fallback: ValueId | null;
  readonly id: ValueId;
}
const NONE = 0xffffffff;

/** Emits a look-up: the value or the fallback, or 0|1 for `has`. */
export function emitViewLookup(emit: Emitter, lookup: ViewLookup): void {
  const { plan, images, request, view, fallback, id } = lookup;
  const zero = emit.constant('i32', 0);
  if (plan === null) {
    emit.with('i32', 'or', fallback ?? zero, 0, id);
    return;
  }
  const hash = emit.call(HASH_FUNCTION, 'i64', [request, view]);
  const found = emit.fresh();
  const none = emit.constant('i32', NONE);
  emitExact(emit, {
    plan: plan.hashes,
    image: images.hashes,
    key: hash,
    fallback: none,
    isFallbackZero: false,
    id: found,
  });
  const isFound = emit.compare('ne', found, none);
  const entry = emit.extend(emit.select('i32', isFound, found, zero));
  const at = emit.with('i64', 'mul', entry, plan.stride);
  const limit = (plan.count - 1) * plan.stride;
  const stored = (offset: number): ValueId =>
    emit.loadImage(images.keys, at, { offset, limit, size: 8 });

  const header = stored(0);
  const { offset, length } = partsOf(emit, view);
  const both = (a: ValueId, b: ValueId): ValueId => emit.binary('i32', 'and', a, b);
  const isLong = emit.compare('eq', emit.wrap(header), length);
  const end = emit.binary('i32', 'add', offset, length);
  const isInside = emit.compareWith('i32', 'le_u', end, HEAD_MAX);
  const isPresent = emit.compareWith('i32', 'ne', view, 0);
  const fits = both(both(isFound, isLong), both(isInside, isPresent));

  let differs: ValueId = emit.constant('i64', 0);
  for (let word = 0; word < plan.words; word++) {
    const before = 8 * word;
    const more = both(fits, emit.compareWith('i32', 'gt_u', length, before));
    const start = emit.select('i32', more, emit.with('i32', 'add', offset, before), zero);
    const loaded = emit.loadHead(request, start, { offset: 0, limit: HEAD_MAX, size: 8 });
    const left = emit.with('i32', 'sub', length, before);
    const masked = maskWord(emit, loaded, left);
    const have = emit.select('i64', more, masked, emit.constant('i64', 0));
    const xor = emit.binary('i64', 'xor', have, stored(KEY_HEADER_BYTES + before));
    differs = emit.binary('i64', 'or', differs, xor);
  }
  const same = emit.compareWith('i64', 'eq', differs, 0);
  if (fallback === null) {
    emit.binary('i32', 'and', fits, same, id);
    return;
  }
  const value = emit.wrap(emit.with('i64', 'shr_u', header, 32));
  emit.select('i32', both(fits, same), value, fallback, id);
}
