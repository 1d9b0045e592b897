/** Look-ups in tables of patterns: a call of the table's function, and the value of its answer. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/index.js';
import type { PatternPlan } from '../tables/index.js';

export interface PatternLookup {
  /** Null for a table without entries. */
  readonly plan: PatternPlan | null;
  readonly image: string;
  readonly callee: string;
  readonly request: ValueId;
  readonly view: ValueId;
  /** The fallback of `get`; null asks `has`. */
  readonly fallback: ValueId | null;
  readonly id: ValueId;
}

/** Emits a look-up: the value or the fallback, or 0|1 for `has`. */
export function emitPatternLookup(emit: Emitter, lookup: PatternLookup): void {
  const { plan, image, callee, request, view, fallback, id } = lookup;
  if (plan === null) {
    emit.with('i32', 'or', fallback ?? emit.constant('i32', 0), 0, id);
    return;
  }
  const answer = emit.call(callee, 'i32', [request, view]);
  if (fallback === null) {
    emit.compareWith('i32', 'ne', answer, 0, id);
    return;
  }
  const at = emit.with('i32', 'shl', answer, 2);
  const limit = (plan.answers - 1) * 4;
  const value = emit.loadImage(image, at, { offset: plan.answersAt, limit, size: 4 });
  emit.select('i32', emit.compareWith('i32', 'ne', answer, 0), value, fallback, id);
}
