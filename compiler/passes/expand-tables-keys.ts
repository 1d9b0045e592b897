/** Look-ups in tables of keys of several words as straight code; the plan is that of compiler/tables/plan-keys. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import {
  alikeMask,
  FOLD_MULTIPLIER,
  type FoldedKeys,
  type KeyField,
  type KeysPlan,
} from '../tables/index.js';
import { emitExact, emitSlot } from './expand-tables-exact.js';

export interface KeysLookup {
  /** Null for a table without keys. */
  readonly plan: KeysPlan | null;
  readonly image: string;
  /** All words of the key that is asked for (i64). */
  readonly words: readonly ValueId[];
  /** The fallback of `get`; null asks `has`. */
  readonly fallback: ValueId | null;
  readonly id: ValueId;
}

/** Emits a look-up: the value or the fallback, or 0|1 for `has`. */
export function emitKeys(emit: Emitter, lookup: KeysLookup): void {
  const { plan, image, words, fallback, id } = lookup;
  if (plan === null) {
    emit.with('i32', 'or', fallback ?? emit.constant('i32', 0), 0, id);
    return;
  }
  let differs: ValueId = emit.constant('i64', 0);
  words.forEach((word, i) => {
    const unlike = emit.with('i64', 'xor', word, plan.alike[i] ?? 0n);
    const outside = emit.with('i64', 'and', unlike, alikeMask(plan.fields, i));
    differs = emit.binary('i64', 'or', differs, outside);
  });
  if (plan.kind === 'folded') {
    emitFolded(emit, { ...lookup, plan }, differs);
    return;
  }
  const found = emit.fresh();
  const key = emitPacked(emit, words, plan.fields);
  emitExact(emit, { plan: plan.exact, image, key, fallback, isFallbackZero: false, id: found });
  const isAlike = emit.compareWith('i64', 'eq', differs, 0);
  if (fallback === null) emit.binary('i32', 'and', isAlike, found, id);
  else emit.select('i32', isAlike, found, fallback, id);
}

function emitPacked(
  emit: Emitter,
  words: readonly ValueId[],
  fields: readonly KeyField[],
): ValueId {
  let key: ValueId = emit.constant('i64', 0);
  for (const { word, low, bits, at } of fields) {
    const from = words[word];
    if (from === undefined) continue;
    const field = emit.with(
      'i64',
      'and',
      emit.with('i64', 'shr_u', from, low),
      2n ** BigInt(bits) - 1n,
    );
    key = emit.binary('i64', 'or', key, emit.with('i64', 'shl', field, at));
  }
  return key;
}

function emitFolded(
  emit: Emitter,
  { plan, image, words, fallback, id }: KeysLookup & { readonly plan: FoldedKeys },
  outside: ValueId,
): void {
  const stored = plan.fields.flatMap(({ word }) => words[word] ?? []);
  let hash: ValueId = emit.constant('i64', plan.seed);
  for (const word of stored) {
    const product = emit.with('i64', 'mul', emit.binary('i64', 'xor', hash, word), FOLD_MULTIPLIER);
    hash = emit.binary('i64', 'xor', product, emit.with('i64', 'shr_u', product, 32));
  }
  const at = emit.with('i64', 'mul', emitSlot(emit, { ...plan, image }, hash), plan.stride);
  const limit = (2 ** plan.slotBits - 1) * plan.stride;
  let differs = outside;
  stored.forEach((word, i) => {
    const found = emit.loadImage(image, at, { offset: 8 * i, limit, size: 8 });
    differs = emit.binary('i64', 'or', differs, emit.binary('i64', 'xor', found, word));
  });
  if (fallback === null) {
    emit.compareWith('i64', 'eq', differs, 0, id);
    return;
  }
  const same = emit.compareWith('i64', 'eq', differs, 0);
  const value = emit.loadImage(image, at, { offset: 8 * stored.length, limit, size: 4 });
  emit.select('i32', same, value, fallback, id);
}
