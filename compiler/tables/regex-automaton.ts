/**
 * Regular expressions as one minimised deterministic automaton. Bytes that no expression tells apart are
 * one class. A state stands for the places in all expressions where a match may stand; it answers with
 * the first expression, in the order of their declarations, that a text ending there matches.
 *
 * Expressions that multiply states are refused by the caller with the number; nothing is cut off.
 */
import type { RegexNode } from '../abi/index.js';

/** `answer` counts from 1; 0 is none. */
export interface RegexRule {
  readonly node: RegexNode;
  readonly answer: number;
}
export interface RegexAutomaton {
  /** Class of each byte. */
  readonly classOf: Uint8Array;
  readonly classes: number;
  /** State to go to, by state and class. */
  readonly next: readonly Int32Array[];
  /** Answer where a text ends, by state. */
  readonly end: readonly number[];
  readonly start: number;
}
export interface RegexLimits {
  /** Places in all expressions. */
  readonly places: number;
  /** States before those alike are joined. */
  readonly states: number;
}
export type RegexExcess = 'places' | 'states';

/** A place: goes on by a byte of a class, or without one. */
interface Place {
  /** By byte class; empty for others. */
  readonly on: ReadonlySet<number>;
  to: number;
  free: number[];
  /** Passed only where the text begins or ends. */
  readonly at: 'start' | 'end' | null;
  /** Number of the rule that ends here, or -1. */
  readonly rule: number;
}

/** Builds the automaton, or says of what there is too much. */
export function buildRegexAutomaton(
  rules: readonly RegexRule[],
  limits: RegexLimits,
): RegexAutomaton | RegexExcess {
  const { classOf, classes, classesOf } = byteClasses(rules.map(({ node }) => node));
  const writer = new PlaceWriter(classesOf, limits.places);
  const starts = rules.map(({ node }, rule) => writer.write(node, writer.final(rule)));
  if (writer.isFull) return 'places';
  const states = explore(writer.places, starts, { rules, classes, most: limits.states });
  if (states === null) return 'states';
  return { classOf, classes, ...minimise(states) };
}

/** Bytes with the same memberships in all sets are one class. */
function byteClasses(nodes: readonly RegexNode[]): {
  readonly classOf: Uint8Array;
  readonly classes: number;
  readonly classesOf: (set: Uint8Array) => ReadonlySet<number>;
} {
  const known = new Map<string, Uint8Array>();
  const collect = (node: RegexNode): void => {
    if (node.op === 'byte') known.set(node.set.join(''), node.set);
    else if (node.op === 'repeat') collect(node.part);
    else if (node.op === 'all' || node.op === 'any') node.parts.forEach(collect);
  };
  nodes.forEach(collect);
  const sets = [...known.values()];
  const numbers = new Map<string, number>();
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = sets.map((set) => set[byte]).join('');
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
  const cache = new Map<Uint8Array, ReadonlySet<number>>();
  const classesOf = (set: Uint8Array): ReadonlySet<number> => {
    const found = cache.get(set) ?? new Set([...classOf].filter((_, byte) => set[byte] === 1));
    cache.set(set, found);
    return found;
  };
  return { classOf, classes: numbers.size, classesOf };
}

const NOTHING: ReadonlySet<number> = new Set();

/** Thompson's construction, from the end to the beginning: each part is told where to go on. */
class PlaceWriter {
  readonly places: Place[] = [];
  readonly #classesOf: (set: Uint8Array) => ReadonlySet<number>;
  readonly #most: number;

  constructor(classesOf: (set: Uint8Array) => ReadonlySet<number>, most: number) {
    this.#classesOf = classesOf;
    this.#most = most;
  }

  get isFull(): boolean {
    return this.places.length > this.#most;
  }

  final(rule: number): number {
    return this.#add({ rule });
  }

  /** The place where a part begins that goes on at `then`. */
  write(node: RegexNode, then: number): number {
    if (this.isFull) return then;
    switch (node.op) {
      case 'byte':
        return this.#add({ on: this.#classesOf(node.set), to: then });
      case 'start':
      case 'end':
        return this.#add({ at: node.op, free: [then] });
      case 'all':
        return node.parts.reduceRight((next, part) => this.write(part, next), then);
      case 'any':
        return this.#add({ free: node.parts.map((part) => this.write(part, then)) });
      case 'repeat':
        return this.#repeat(node, then);
    }
  }

  #repeat({ part, min, max }: Extract<RegexNode, { op: 'repeat' }>, then: number): number {
    let next = then;
    if (max === null) {
      const loop = this.#add({ free: [then] });
      this.places[loop]?.free.push(this.write(part, loop));
      next = loop;
    } else {
      for (let i = min; i < max; i++) next = this.#add({ free: [then, this.write(part, next)] });
    }
    for (let i = 0; i < min; i++) next = this.write(part, next);
    return next;
  }

  #add(place: Partial<Place>): number {
    return this.places.push({ on: NOTHING, to: -1, free: [], at: null, rule: -1, ...place }) - 1;
  }
}

interface States {
  readonly next: Int32Array[];
  readonly end: number[];
}

/** All states that can be reached, the first one first; null where there are more than `most`. */
function explore(
  places: readonly Place[],
  starts: readonly number[],
  {
    rules,
    classes,
    most,
  }: { readonly rules: readonly RegexRule[]; readonly classes: number; readonly most: number },
): States | null {
  const sets: (readonly number[])[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (key: string, set: readonly number[]): number => {
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, sets.length);
    return sets.push(set) - 1;
  };
  // Alone in that a text that begins here may end here as well.
  numberOf('start', reach(places, starts, ['start']));
  const next: Int32Array[] = [];
  const end: number[] = [];
  for (let state = 0; state < sets.length; state++) {
    if (sets.length > most) return null;
    const set = sets[state] ?? [];
    const ends = reach(places, set, state === 0 ? ['start', 'end'] : ['end']);
    const first = ends.reduce((least, at) => {
      const rule = places[at]?.rule ?? -1;
      return rule >= 0 ? Math.min(least, rule) : least;
    }, rules.length);
    end.push(rules[first]?.answer ?? 0);
    const targets = Array.from({ length: classes }, (): number[] => []);
    for (const at of set) {
      const place = places[at];
      for (const byClass of place?.on ?? NOTHING) targets[byClass]?.push(place?.to ?? 0);
    }
    // Many classes lead to the same places: closed once for all of them.
    const seen = new Map<string, number>();
    next.push(
      Int32Array.from(targets, (to) => {
        const raw = to.join();
        const known = seen.get(raw);
        if (known !== undefined) return known;
        const closed = reach(places, to, []);
        const number = numberOf(closed.join(), closed);
        seen.set(raw, number);
        return number;
      }),
    );
  }
  return { next, end };
}

/** Places that are reached without a byte, sorted; `at` says which ends of the text are here. */
function reach(places: readonly Place[], from: readonly number[], at: readonly string[]): number[] {
  const seen = new Set<number>();
  const open = [...from];
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    if (seen.has(number)) continue;
    seen.add(number);
    const place = places[number];
    if (place === undefined || (place.at !== null && !at.includes(place.at))) continue;
    open.push(...place.free);
  }
  // Those that only lead on are done with.
  const kept = (number: number): boolean => {
    const place = places[number];
    return place !== undefined && (place.on.size > 0 || place.at === 'end' || place.rule >= 0);
  };
  return [...seen].filter(kept).sort((a, b) => a - b);
}

/** Joins states with equal futures (Moore): told apart by their answers, then by where they lead. */
function minimise({ next, end }: States): Pick<RegexAutomaton, 'next' | 'end' | 'start'> {
  let groups = end.map((answer) => answer);
  for (let count = new Set(groups).size; ; ) {
    const numbers = new Map<string, number>();
    const finer = next.map((row, state) => {
      const key = `${groups[state]}:${row.map((to) => groups[to] ?? 0).join()}`;
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    });
    groups = finer;
    if (numbers.size === count) break;
    count = numbers.size;
  }
  const joined: { next: Int32Array[]; end: number[] } = { next: [], end: [] };
  next.forEach((row, state) => {
    const group = groups[state] ?? 0;
    joined.next[group] ??= row.map((to) => groups[to] ?? 0);
    joined.end[group] = end[state] ?? 0;
  });
  return { ...joined, start: groups[0] ?? 0 };
}
