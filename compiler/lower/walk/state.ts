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

/**
 * What a verifier comes across on its way back from what has to be known, to where it was made (backtrack_insn): a test of
 * two numbers, of which then both have to be known, or a call, where one before 6.5 gives up and takes all numbers for
 * needed. Only ways of old verifiers note these.
 */
export interface Event {
  readonly time: number;
  /** What was tested; null of a call. */
  readonly pair: readonly [Origin, Origin] | null;
  readonly before: Event | null;
}

/** A state that was kept where others may meet it. */
export class Checkpoint {
  readonly at: number;
  readonly values: readonly (Value | null)[];
  readonly parent: Checkpoint | null;
  /** What was on the way to it from its parent, the last first. */
  readonly events: Event | null;
  readonly time: number;
  readonly depth: number;
  /** Turns of loops behind it that a run-time check ends. */
  readonly turns: number;
  readonly needed: Set<Place> = new Set();
  /** Whether all of them are, here and before. */
  needsAll = false;
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
    this.events = from.events;
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
  /** What was on it since its parent, the last first. */
  events: Event | null;
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

/** What was made after a time becomes what it was made of before. */
function expand(wanted: Set<Origin>, time: number): void {
  for (const origin of wanted) {
    if (origin.time <= time) continue;
    wanted.delete(origin);
    for (const from of origin.from) wanted.add(from);
  }
}

/** Goes back to before the first of these events; false where it gives up at a call. */
function goBack(wanted: Set<Origin>, events: Event | null): boolean {
  for (let event = events; event !== null; event = event.before) {
    expand(wanted, event.time);
    if (wanted.size === 0) return true;
    if (event.pair === null) return false;
    const [left, right] = event.pair;
    if (wanted.has(left)) wanted.add(right);
    else if (wanted.has(right)) wanted.add(left);
  }
  return true;
}

/** Every number of a state and of those before it (mark_all_scalars_precise). */
function needAll(from: Checkpoint): void {
  for (
    let state: Checkpoint | null = from;
    state !== null && !state.needsAll;
    state = state.parent
  ) {
    state.needsAll = true;
    for (const [place, value] of state.values.entries())
      if (value?.kind === 'scalar') state.needed.add(place);
  }
}

/** States on the way here had to know these numbers exactly, and what they were made of. */
export function need(way: Pick<Way, 'parent' | 'events'>, origins: Iterable<Origin>): void {
  let wanted = new Set(origins);
  let { events } = way;
  for (let state = way.parent; state !== null && !state.needsAll; state = state.parent) {
    if (!goBack(wanted, events)) {
      needAll(state);
      return;
    }
    events = state.events;
    expand(wanted, state.time);
    const added = new Set<Origin>();
    const { values } = state;
    for (let place = 0; wanted.size > 0 && place < values.length; place++) {
      const value = values[place];
      if (value?.kind !== 'scalar' || !wanted.has(value.origin) || state.needed.has(place))
        continue;
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
