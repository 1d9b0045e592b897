/**
 * What a symbolic run asks of the input, and how. It runs twice over the same code: once to hear which questions
 * there are (`Survey`, where every answer is yes, no or maybe), then over sets of inputs (`Space`) whose classes are
 * exactly those that the questions tell apart.
 */
import {
  ALL,
  type ClassSet,
  classesWhere,
  type Diagram,
  Diagrams,
  NONE,
  TooLarge,
} from './diagram.js';
import type { Field, FlagField, NumberField, SameField, TextField } from './field.js';
import { isOpaque, sameField } from './field.js';
import type { Interval } from './intervals.js';
import type { TextTest } from './text-automaton.js';
import { type TextClass, textClasses } from './text-classes.js';
import { DOMAINS } from './text-domain.js';
import { passes, testKey } from './text-test.js';

/** A set of inputs, or in a survey yes, no, or maybe. */
export type Guard = Diagram;

export interface Guards {
  readonly and: (a: Guard, b: Guard) => Guard;
  readonly or: (a: Guard, b: Guard) => Guard;
  readonly not: (a: Guard) => Guard;
  readonly flag: (field: FlagField) => Guard;
  /** Both fields have the same text, or neither has one. */
  readonly same: (a: TextField, b: TextField) => Guard;
  readonly number: (field: NumberField, holds: readonly Interval[]) => Guard;
  /** The field has a text that passes a test. */
  readonly text: (field: TextField, test: TextTest) => Guard;
  /** What a look-up by the field's text finds, and where; undefined where it finds nothing. */
  readonly choose: (field: TextField, look: LookUp) => readonly Found[];
  readonly absent: (field: TextField) => Guard;
  readonly repeated: (field: TextField) => Guard;
}

/** A look-up by a text. */
export interface LookUp {
  /** Tells it from others. */
  readonly key: string;
  /** What it tells apart. */
  readonly tests: readonly TextTest[];
  readonly values: readonly number[];
  readonly find: (text: string) => number | undefined;
}
export type Found = readonly [number | undefined, Guard];

const MAYBE = 2 as Diagram;

/** Hears which questions are asked. */
export class Survey implements Guards {
  readonly fields: Map<string, Field> = new Map();
  readonly tests: Map<string, Map<string, TextTest>> = new Map();
  readonly numbers: Map<string, Interval[]> = new Map();

  and = (a: Guard, b: Guard): Guard => (a === NONE || b === NONE ? NONE : a === ALL ? b : a);
  or = (a: Guard, b: Guard): Guard => (a === ALL || b === ALL ? ALL : a === NONE ? b : a);
  not = (a: Guard): Guard => (a === MAYBE ? MAYBE : a === ALL ? NONE : ALL);

  flag = (field: FlagField): Guard => this.#add(field);
  same = (a: TextField, b: TextField): Guard => {
    const [first, second] = a.name < b.name ? [a, b] : [b, a];
    this.#add(first);
    this.#add(second);
    return this.#add(sameField(first, second));
  };
  number = (field: NumberField, holds: readonly Interval[]): Guard => {
    const known = this.numbers.get(field.name) ?? [];
    known.push(...holds);
    this.numbers.set(field.name, known);
    return this.#add(field);
  };
  text = (field: TextField, test: TextTest): Guard => {
    const known = this.tests.get(field.name) ?? new Map<string, TextTest>();
    known.set(testKey(test), test);
    this.tests.set(field.name, known);
    return this.#add(field);
  };
  choose = (field: TextField, { tests, values }: LookUp): readonly Found[] => {
    this.#add(field);
    for (const test of tests) this.text(field, test);
    return [undefined, ...new Set(values)].map((value) => [value, MAYBE] as const);
  };
  absent = (field: TextField): Guard => this.#add(field);
  repeated = (field: TextField): Guard => this.#add(field);

  #add(field: Field): Guard {
    this.fields.set(field.name, field);
    return MAYBE;
  }
}

/** The classes of one field. */
export type Classes =
  | { readonly kind: 'flag'; readonly field: FlagField | SameField }
  | { readonly kind: 'number'; readonly field: NumberField; readonly parts: readonly Interval[] }
  | { readonly kind: 'text'; readonly field: TextField; readonly classes: readonly TextClass[] };

/** Sets of inputs over the classes that a survey heard of. */
export class Space implements Guards {
  readonly diagrams: Diagrams;
  /** By level. */
  readonly levels: readonly Classes[];
  /** Tests by field, for words. */
  readonly tests: ReadonlyMap<string, ReadonlyMap<string, TextTest>>;
  readonly #levelOf: ReadonlyMap<string, number>;
  readonly #known = new Map<string, Guard>();

  constructor(survey: Survey) {
    const tests = linkedTests(survey);
    this.tests = tests;
    const fields = [...survey.fields.values()].sort((a, b) => a.rank - b.rank);
    const classes = fields.map((field): Classes => {
      if (field.kind === 'number') {
        return {
          kind: 'number',
          field,
          parts: numberParts(field, survey.numbers.get(field.name) ?? []),
        };
      }
      if (field.kind !== 'text') return { kind: 'flag', field };
      const found = textClasses(DOMAINS[field.domain], [
        ...(tests.get(field.name)?.values() ?? []),
      ]);
      const special: TextClass[] = [{ kind: 'absent' }];
      if (field.repeats) special.push({ kind: 'repeated' });
      return { kind: 'text', field, classes: [...found, ...special] };
    });
    this.levels = inOrder(classes);
    this.#levelOf = new Map(this.levels.map(({ field }, level) => [field.name, level]));
    this.diagrams = new Diagrams(this.levels.map(sizeOf));
  }

  and = (a: Guard, b: Guard): Guard => this.diagrams.and(a, b);
  or = (a: Guard, b: Guard): Guard => this.diagrams.or(a, b);
  not = (a: Guard): Guard => this.diagrams.not(a);

  flag = (field: FlagField | SameField): Guard => {
    // What is not looked into must not be taken for granted.
    if (isOpaque(field) && this.levelOf(field.name) === null) {
      throw new TooLarge('a question came up that the survey did not meet');
    }
    return this.#literal(field, '', () => [[1, 2]]);
  };
  same = (a: TextField, b: TextField): Guard =>
    this.flag(a.name < b.name ? sameField(a, b) : sameField(b, a));
  number = (field: NumberField, holds: readonly Interval[]): Guard =>
    this.#literal(field, holds.join(' '), (classes) => {
      if (classes.kind !== 'number') return [];
      return classesWhere(classes.parts.length, (i) => isWithin(classes.parts[i], holds));
    });
  text = (field: TextField, test: TextTest): Guard =>
    this.#texts(field, testKey(test), (item) => item.kind === 'text' && passes(test, item.text));
  choose = (field: TextField, { key, find }: LookUp): readonly Found[] => {
    const level = this.levelOf(field.name);
    const classes = level === null ? undefined : this.levels[level];
    if (level === null || classes?.kind !== 'text') return [[undefined, ALL]];
    const found = classes.classes.map((item) =>
      item.kind === 'text' ? find(item.text) : undefined,
    );
    return [...new Set(found)].map((value) => {
      const runs = (): ClassSet => classesWhere(found.length, (i) => found[i] === value);
      return [value, this.#literal(field, `${key} -> ${value}`, runs)] as const;
    });
  };
  absent = (field: TextField): Guard =>
    this.#texts(field, 'absent', (item) => item.kind === 'absent');
  repeated = (field: TextField): Guard =>
    this.#texts(field, 'repeated', (item) => item.kind === 'repeated');

  /** The level of a field; null for one that nobody asked about. */
  levelOf(name: string): number | null {
    return this.#levelOf.get(name) ?? null;
  }

  /** Those in which a field has a class that something holds for; null where nobody asked about the field. */
  where(field: TextField, holds: (item: TextClass) => boolean): Guard | null {
    const level = this.levelOf(field.name);
    const classes = level === null ? undefined : this.levels[level];
    if (level === null || classes?.kind !== 'text') return null;
    const { classes: list } = classes;
    return this.diagrams.literal(
      level,
      classesWhere(list.length, (i) => holds(list[i] as TextClass)),
    );
  }

  #texts(field: TextField, key: string, holds: (item: TextClass) => boolean): Guard {
    return this.#literal(field, key, (classes) => {
      if (classes.kind !== 'text') return [];
      const list = classes.classes;
      return classesWhere(list.length, (i) => holds(list[i] as TextClass));
    });
  }

  #literal(field: Field, key: string, classesOf: (classes: Classes) => ClassSet): Guard {
    const name = `${field.name}\n${key}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const level = this.levelOf(field.name);
    const classes = level === null ? undefined : this.levels[level];
    // Nobody asked about it: a constraint on it says nothing.
    const made =
      level === null || classes === undefined
        ? ALL
        : this.diagrams.literal(level, classesOf(classes));
    this.#known.set(name, made);
    return made;
  }
}

/** From so many classes on a field is asked before all others. */
const MANY_CLASSES = 256;

/**
 * By rank, as policies read; but what thousands of rules tell apart comes first, since few of them are left then. Asked
 * last it would be asked again for each combination of all others.
 */
function inOrder(levels: readonly Classes[]): readonly Classes[] {
  const isLarge = (classes: Classes): boolean => sizeOf(classes) >= MANY_CLASSES;
  const large = levels.filter(isLarge).sort((a, b) => sizeOf(b) - sizeOf(a));
  return [...large, ...levels.filter((classes) => !isLarge(classes))];
}

function sizeOf(classes: Classes): number {
  switch (classes.kind) {
    case 'flag':
      return 2;
    case 'number':
      return classes.parts.length;
    case 'text':
      return classes.classes.length;
  }
}

/** Fields that are compared with each other need the same classes. */
function linkedTests({
  fields,
  tests,
}: Survey): ReadonlyMap<string, ReadonlyMap<string, TextTest>> {
  const groups = new Map<string, Map<string, TextTest>>(
    [...fields.values()].flatMap((field) =>
      field.kind === 'text' ? [[field.name, new Map(tests.get(field.name) ?? [])] as const] : [],
    ),
  );
  for (const field of fields.values()) {
    if (field.kind !== 'same') continue;
    const [a, b] = [groups.get(field.a.name), groups.get(field.b.name)];
    if (a === undefined || b === undefined || a === b) continue;
    for (const [key, test] of b) a.set(key, test);
    for (const [name, group] of groups) if (group === b) groups.set(name, a);
  }
  return groups;
}

/** The stretches of a number's range that no question cuts. */
function numberParts({ within }: NumberField, asked: readonly Interval[]): readonly Interval[] {
  const starts = new Set<bigint>();
  for (const [from, to] of [...within, ...asked]) {
    starts.add(from);
    starts.add(to + 1n);
  }
  const cuts = [...starts].sort((a, b) => (a < b ? -1 : 1));
  const parts: Interval[] = [];
  for (const [i, from] of cuts.entries()) {
    const next = cuts[i + 1];
    if (next !== undefined && isWithin([from, from], within)) parts.push([from, next - 1n]);
  }
  return parts;
}

function isWithin(part: Interval | undefined, list: readonly Interval[]): boolean {
  return part !== undefined && list.some(([from, to]) => part[0] >= from && part[0] <= to);
}
