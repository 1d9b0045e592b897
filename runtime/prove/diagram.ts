/**
 * Sets of requests as decision diagrams: a node asks one field, and its runs say where each stretch of the field's
 * classes leads. Equal sets are the same number, so that comparing two costs nothing.
 *
 * INVARIANT: levels grow downwards; neighbouring runs differ; a node has at least two runs.
 */
declare const brand: unique symbol;
/** A set, by number. */
export type Diagram = number & { readonly [brand]: 'Diagram' };
export const NONE: Diagram = 0 as Diagram;
export const ALL: Diagram = 1 as Diagram;

/** Classes of one field as runs `[from, to)`, in order. */
export type ClassSet = readonly (readonly [number, number])[];
/** What a cube says: the classes that each named level may have. */
export type Cube = ReadonlyMap<number, ClassSet>;

/** The sets grew beyond what can be held; whoever asked says that it is undecided. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

interface Node {
  readonly level: number;
  /** End of each run, exclusive; the last is the size of the level. */
  readonly ends: readonly number[];
  readonly kids: readonly Diagram[];
}

const MAX_NODES = 4_000_000;
const BOTTOM = 0x7fffffff;
/** Pairs of numbers are keys of a memo as one number. */
const PAIR = 2 ** 26;

export class Diagrams {
  /** Number of classes of each level. */
  readonly sizes: readonly number[];
  readonly #nodes: Node[] = [
    { level: BOTTOM, ends: [], kids: [] },
    { level: BOTTOM, ends: [], kids: [] },
  ];
  readonly #byHash = new Map<number, Diagram[]>();
  readonly #ands = new Map<number, Diagram>();
  readonly #ors = new Map<number, Diagram>();
  readonly #nots = new Map<Diagram, Diagram>();

  constructor(sizes: readonly number[]) {
    this.sizes = sizes;
  }

  /** How many nodes were ever made. */
  get count(): number {
    return this.#nodes.length;
  }

  /** The level that a set asks first; larger than any where it asks nothing. */
  levelOf(set: Diagram): number {
    return this.#node(set).level;
  }

  /** Those whose field at a level has one of some classes. */
  literal(level: number, classes: ClassSet): Diagram {
    const [ends, kids]: [number[], Diagram[]] = [[], []];
    let at = 0;
    for (const [from, to] of classes) {
      if (from > at) {
        ends.push(from);
        kids.push(NONE);
      }
      ends.push(to);
      kids.push(ALL);
      at = to;
    }
    const size = this.sizes[level] ?? 0;
    if (at < size) {
      ends.push(size);
      kids.push(NONE);
    }
    return this.#make(level, ends, kids);
  }

  not(set: Diagram): Diagram {
    if (set <= ALL) return set === ALL ? NONE : ALL;
    const known = this.#nots.get(set);
    if (known !== undefined) return known;
    const { level, ends, kids } = this.#node(set);
    const made = this.#make(
      level,
      ends,
      kids.map((kid) => this.not(kid)),
    );
    this.#nots.set(set, made);
    this.#nots.set(made, set);
    return made;
  }

  and(a: Diagram, b: Diagram): Diagram {
    if (a === NONE || b === NONE) return NONE;
    if (a === ALL || a === b) return b;
    if (b === ALL) return a;
    return this.#combine(a, b, this.#ands, (x, y) => this.and(x, y));
  }

  or(a: Diagram, b: Diagram): Diagram {
    if (a === ALL || b === ALL) return ALL;
    if (a === NONE || a === b) return b;
    if (b === NONE) return a;
    return this.#combine(a, b, this.#ors, (x, y) => this.or(x, y));
  }

  /** Those of `a` that are not in `b`. */
  minus(a: Diagram, b: Diagram): Diagram {
    return b === NONE ? a : this.and(a, this.not(b));
  }

  /** All of some sets; joined in pairs, so that large ones meet late. */
  union(sets: readonly Diagram[]): Diagram {
    let open = [...new Set(sets)];
    while (open.length > 1) {
      const next: Diagram[] = [];
      for (let i = 0; i < open.length; i += 2)
        next.push(this.or(open[i] ?? NONE, open[i + 1] ?? NONE));
      open = next;
    }
    return open[0] ?? NONE;
  }

  /** Those that are in the set whatever the fields from a level on are. */
  always(set: Diagram, from: number): Diagram {
    return this.#cut(set, from, NONE, new Map());
  }

  /** Those that are in the set for some value of the fields from a level on. */
  sometimes(set: Diagram, from: number): Diagram {
    return this.#cut(set, from, ALL, new Map());
  }

  /** Levels that a set asks, in order. */
  levelsOf(set: Diagram): readonly number[] {
    const [seen, levels, open] = [new Set<Diagram>(), new Set<number>(), [set]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next <= ALL || seen.has(next)) continue;
      seen.add(next);
      const { level, kids } = this.#node(next);
      levels.add(level);
      open.push(...kids);
    }
    return [...levels].sort((a, b) => a - b);
  }

  /** Some part of a set that is not empty: of each level the first classes that there are, or the last ones. */
  path(set: Diagram, isLast: (level: number) => boolean): Cube {
    const cube = new Map<number, ClassSet>();
    for (let at = set; at > ALL; ) {
      const { level, ends, kids } = this.#node(at);
      const isThere = (kid: Diagram): boolean => kid !== NONE;
      const run = isLast(level) ? kids.findLastIndex(isThere) : kids.findIndex(isThere);
      cube.set(level, [[run === 0 ? 0 : (ends[run - 1] ?? 0), ends[run] ?? 0]]);
      at = kids[run] ?? NONE;
    }
    return cube;
  }

  /** The set that a cube says. */
  cube(cube: Cube): Diagram {
    const levels = [...cube].sort(([a], [b]) => b - a);
    return levels.reduce<Diagram>(
      (set, [level, classes]) => this.and(this.literal(level, classes), set),
      ALL,
    );
  }

  /** Whether one point is in a set: its class by level. */
  has(set: Diagram, classAt: (level: number) => number): boolean {
    let at = set;
    while (at > ALL) {
      const { level, ends, kids } = this.#node(at);
      const number = classAt(level);
      at = kids[ends.findIndex((end) => number < end)] ?? NONE;
    }
    return at === ALL;
  }

  /** The classes of a level with which a cube lies in a set wholly. */
  fitting(set: Diagram, cube: Cube, level: number): ClassSet {
    const size = this.sizes[level] ?? 0;
    const inside = new Map<Diagram, boolean>();
    const lies = (at: Diagram): boolean => {
      if (at <= ALL) return at === ALL;
      const known = inside.get(at);
      if (known !== undefined) return known;
      const node = this.#node(at);
      const found = this.#met(node, cube).every((kid) => lies(kid));
      inside.set(at, found);
      return found;
    };
    const whole: ClassSet = [[0, size]];
    const memo = new Map<Diagram, ClassSet>();
    const search = (at: Diagram): ClassSet => {
      const node = this.#node(at);
      if (node.level > level) return lies(at) ? whole : [];
      const known = memo.get(at);
      if (known !== undefined) return known;
      const found =
        node.level === level
          ? joinRuns(
              node.ends.flatMap((end, i) =>
                lies(node.kids[i] ?? NONE)
                  ? [[i === 0 ? 0 : (node.ends[i - 1] ?? 0), end] as const]
                  : [],
              ),
            )
          : this.#met(node, cube).map(search).reduce(intersectRuns, whole);
      memo.set(at, found);
      return found;
    };
    return search(set);
  }

  /** The classes that a level has in a set. */
  classesIn(set: Diagram, level: number): ClassSet {
    const size = this.sizes[level] ?? 0;
    const memo = new Map<Diagram, ClassSet>();
    const search = (at: Diagram): ClassSet => {
      if (at === NONE) return [];
      const node = this.#node(at);
      if (node.level > level) return [[0, size]];
      const known = memo.get(at);
      if (known !== undefined) return known;
      const found =
        node.level === level
          ? joinRuns(
              node.ends.flatMap((end, i) =>
                node.kids[i] === NONE
                  ? []
                  : [[i === 0 ? 0 : (node.ends[i - 1] ?? 0), end] as const],
              ),
            )
          : node.kids.map(search).reduce(uniteRuns, []);
      memo.set(at, found);
      return found;
    };
    return search(set);
  }

  /** Where a node leads for the classes of a cube. */
  #met({ level, ends, kids }: Node, cube: Cube): readonly Diagram[] {
    const classes = cube.get(level);
    if (classes === undefined) return kids;
    const found = new Set<Diagram>();
    let run = 0;
    for (const [from, to] of classes) {
      while ((ends[run] ?? BOTTOM) <= from) run += 1;
      for (let i = run; i < kids.length; i += 1) {
        if ((i === 0 ? 0 : (ends[i - 1] ?? 0)) >= to) break;
        found.add(kids[i] ?? NONE);
      }
    }
    return [...found];
  }

  #cut(set: Diagram, from: number, below: Diagram, memo: Map<Diagram, Diagram>): Diagram {
    if (set <= ALL) return set;
    const known = memo.get(set);
    if (known !== undefined) return known;
    const { level, ends, kids } = this.#node(set);
    // A node that is there asks something: some values lead out of the set, some into it.
    const made =
      level >= from
        ? below
        : this.#make(
            level,
            ends,
            kids.map((kid) => this.#cut(kid, from, below, memo)),
          );
    memo.set(set, made);
    return made;
  }

  #node(set: Diagram): Node {
    return this.#nodes[set] as Node;
  }

  #combine(
    a: Diagram,
    b: Diagram,
    memo: Map<number, Diagram>,
    go: (a: Diagram, b: Diagram) => Diagram,
  ): Diagram {
    const key = a < b ? a * PAIR + b : b * PAIR + a;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const [one, other] = [this.#node(a), this.#node(b)];
    const level = Math.min(one.level, other.level);
    const [ends, kids]: [number[], Diagram[]] = [[], []];
    let [i, j] = [0, 0];
    const size = this.sizes[level] ?? 0;
    for (let at = 0; at < size; ) {
      const [endA, kidA] =
        one.level === level ? [one.ends[i] ?? size, one.kids[i] ?? NONE] : [size, a];
      const [endB, kidB] =
        other.level === level ? [other.ends[j] ?? size, other.kids[j] ?? NONE] : [size, b];
      at = Math.min(endA, endB);
      ends.push(at);
      kids.push(go(kidA, kidB));
      if (endA === at) i += 1;
      if (endB === at) j += 1;
    }
    const made = this.#make(level, ends, kids);
    memo.set(key, made);
    return made;
  }

  #make(level: number, allEnds: readonly number[], allKids: readonly Diagram[]): Diagram {
    const [ends, kids]: [number[], Diagram[]] = [[], []];
    let hash = level;
    for (let i = 0; i < allKids.length; i += 1) {
      const kid = allKids[i] as Diagram;
      if (i + 1 < allKids.length && allKids[i + 1] === kid) continue;
      const end = allEnds[i] as number;
      ends.push(end);
      kids.push(kid);
      hash = (Math.imul(hash, 31) + Math.imul(end, 0x9e3779b1) + Math.imul(kid, 0x85ebca6b)) | 0;
    }
    if (kids.length <= 1) return kids[0] ?? NONE;
    const alike = this.#byHash.get(hash) ?? [];
    for (const id of alike) {
      const node = this.#node(id);
      if (node.level === level && isSame(node.ends, ends) && isSame(node.kids, kids)) return id;
    }
    if (this.#nodes.length >= MAX_NODES) throw new TooLarge('the sets have too many parts');
    const id = this.#nodes.length as Diagram;
    this.#nodes.push({ level, ends, kids });
    alike.push(id);
    this.#byHash.set(hash, alike);
    return id;
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Runs that touch as one. */
export function joinRuns(runs: ClassSet): ClassSet {
  const joined: [number, number][] = [];
  for (const [from, to] of runs) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === from) last[1] = to;
    else joined.push([from, to]);
  }
  return joined;
}

/** What two sets of classes have in common. */
export function intersectRuns(a: ClassSet, b: ClassSet): ClassSet {
  const common: [number, number][] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [one, other] = [a[i] as readonly [number, number], b[j] as readonly [number, number]];
    const [from, to] = [Math.max(one[0], other[0]), Math.min(one[1], other[1])];
    if (from < to) common.push([from, to]);
    if (one[1] <= other[1]) i += 1;
    else j += 1;
  }
  return common;
}

/** What one of two sets of classes has. */
function uniteRuns(a: ClassSet, b: ClassSet): ClassSet {
  const sorted = [...a, ...b].sort(([x], [y]) => x - y);
  const united: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = united.at(-1);
    if (last === undefined || from > last[1]) united.push([from, to]);
    else if (to > last[1]) last[1] = to;
  }
  return united;
}

/** The classes that a predicate holds for, as runs. */
export function classesWhere(size: number, holds: (number: number) => boolean): ClassSet {
  const runs: (readonly [number, number])[] = [];
  for (let number = 0; number < size; number += 1)
    if (holds(number)) runs.push([number, number + 1]);
  return joinRuns(runs);
}
