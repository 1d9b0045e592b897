/**
 * States of a verifier's walk: what registers and slots hold, what of it had to be known exactly, and when
 * one state makes another superfluous (kernel/bpf/verifier.c: states_equal, mark_chain_precision).
 */
import type { Place } from './places.js';
import { isWithin, type Origin, type Range } from './scalar.js';

export interface Scalar {
  readonly kind: 'scalar';
  readonly range: Range;
  readonly origin: Origin;
}
export interface Pointer {
  readonly kind: 'pointer';
  /** An image, a parameter, the frame. */
  readonly to: string;
  readonly offset: bigint;
  /** What was added to it and is not known. */
  readonly index: Range | null;
  readonly mayBeNull: boolean;
}
export type Value = Scalar | Pointer;
export type Values = (Value | null)[];

/** A state that was kept where others may meet it. */
export class Checkpoint {
  readonly at: number;
  readonly values: readonly (Value | null)[];
  readonly parent: Checkpoint | null;
  readonly time: number;
  readonly depth: number;
  /** Turns of loops behind it that a run-time check ends. */
  readonly turns: number;
  readonly needed: Set<Place> = new Set();
  /** Ways from here that are not at their end. */
  open = 1;
  hits = 0;
  misses = 0;
  /** The outermost state of a loop that ways from here came back to. */
  entry: Checkpoint | null = null;

  constructor(from: Way, time: number) {
    this.at = from.at;
    this.values = from.values.slice();
    this.parent = from.parent;
    this.time = time;
    this.depth = from.parent === null ? 0 : from.parent.depth + 1;
    this.turns = from.turns;
  }
}

/** One way as it is walked. */
export interface Way {
  at: number;
  values: Values;
  parent: Checkpoint | null;
  turns: number;
  jumps: number;
  entry: Checkpoint | null;
}

/** How alike states have to be. */
export type Likeness = 'needed' | 'within' | 'same';

function isCovered(old: Value, now: Value, likeness: Likeness, needed: boolean): boolean {
  if (old === now) return true;
  if (old.kind === 'scalar') {
    if (now.kind !== 'scalar') return false;
    if (likeness === 'needed' && !needed) return true;
    if (likeness === 'same') return isSame(old.range, now.range);
    return isWithin(now.range, old.range);
  }
  if (now.kind !== 'pointer') return false;
  if (old.to !== now.to || old.offset !== now.offset || old.mayBeNull !== now.mayBeNull)
    return false;
  if (old.index === null || now.index === null) return old.index === now.index;
  return isWithin(now.index, old.index);
}

function isSame(a: Range, b: Range): boolean {
  return a.value === b.value && a.mask === b.mask && a.min === b.min && a.max === b.max;
}

/** True where all that `now` can do was seen from `old`. */
export function covers(
  old: Checkpoint,
  now: Values,
  alive: readonly Place[],
  likeness: Likeness,
): boolean {
  for (const place of alive) {
    const before = old.values[place] ?? null;
    if (before === null) continue;
    const value = now[place] ?? null;
    if (value === null || !isCovered(before, value, likeness, old.needed.has(place))) return false;
  }
  return true;
}

/** What was made after a time, as what it was made of before. */
function expand(origins: Iterable<Origin>, time: number): Set<Origin> {
  const found = new Set<Origin>();
  const seen = new Set<Origin>(origins);
  for (const origin of seen) {
    if (origin.time <= time) found.add(origin);
    else for (const from of origin.from) seen.add(from);
  }
  return found;
}

/** States on the way here had to know these numbers exactly, and what they were made of. */
export function need(parent: Checkpoint | null, origins: Iterable<Origin>): void {
  let wanted: Iterable<Origin> = origins;
  for (let state = parent; state !== null; state = state.parent) {
    const now = expand(wanted, state.time);
    const added = new Set<Origin>();
    const { values } = state;
    for (let place = 0; now.size > 0 && place < values.length; place++) {
      const value = values[place];
      if (value?.kind !== 'scalar' || !now.has(value.origin) || state.needed.has(place)) continue;
      state.needed.add(place);
      added.add(value.origin);
    }
    if (added.size === 0) return;
    wanted = added;
  }
}

/** Notes what a test told, wherever the same numbers are. */
export function learn(
  values: Values,
  [left, right]: readonly [Scalar, Scalar],
  [a, b]: readonly [Range, Range],
): void {
  if (a === left.range && b === right.range) return;
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (value?.kind !== 'scalar') continue;
    if (value.origin === left.origin && a !== left.range) values[place] = { ...value, range: a };
    else if (value.origin === right.origin && b !== right.range)
      values[place] = { ...value, range: b };
  }
}
