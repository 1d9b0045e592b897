/** Look-ups in tables of keys of several words as straight code; the plan is that of compiler/tables/plan-keys. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import { FOLD_MULTIPLIER, type KeysPlan } from '../tables/index.js';
import { emitSlot } from './expand-tables-exact.js';

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
export function emitKeys(emit: Emitter, { plan, image, words, fallback, id }: KeysLookup): void {
  if (plan === null) {
    emit.with('i32', 'or', fallback ?? emit.constant('i32', 0), 0, id);
    return;
  }
  const stored = plan.columns.flatMap((i) => words[i] ?? []);
  let hash: ValueId = emit.constant('i64', plan.seed);
  for (const word of stored) {
    const product = emit.with('i64', 'mul', emit.binary('i64', 'xor', hash, word), FOLD_MULTIPLIER);
    hash = emit.binary('i64', 'xor', product, emit.with('i64', 'shr_u', product, 32));
  }
  const at = emit.with('i64', 'mul', emitSlot(emit, { ...plan, image }, hash), plan.stride);
  const limit = (2 ** plan.slotBits - 1) * plan.stride;
  let differs: ValueId = emit.constant('i64', 0);
  stored.forEach((word, i) => {
    const found = emit.loadImage(image, at, { offset: 8 * i, limit, size: 8 });
    differs = emit.binary('i64', 'or', differs, emit.binary('i64', 'xor', found, word));
  });
  words.forEach((word, i) => {
    // No key has anything there.
    if (!plan.columns.includes(i)) differs = emit.binary('i64', 'or', differs, word);
  });
  if (fallback === null) {
    emit.compareWith('i64', 'eq', differs, 0, id);
    return;
  }
  const same = emit.compareWith('i64', 'eq', differs, 0);
  const value = emit.loadImage(image, at, { offset: 8 * stored.length, limit, size: 4 });
  emit.select('i32', same, value, fallback, id);
}
