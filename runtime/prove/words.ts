/** Cubes in words: what each field may be, as a policy would ask it. */

import { formatAddress } from '../discovery/index.js';
import type { ClassSet, Cube } from './diagram.js';
import { CLOCK_FIELD, FAMILY_FIELD, type Field, IPV4, PROTOCOL_FIELD } from './field.js';
import type { Classes, Space } from './guards.js';
import { type Interval, joinIntervals } from './intervals.js';
import type { TextTest } from './text-automaton.js';
import type { TextClass } from './text-classes.js';
import { passes } from './text-test.js';

/** Of more texts than these the rest is counted. */
const SHOWN = 6;

/** What one field may be. */
export interface FieldWords {
  readonly field: string;
  readonly says: string;
}

/** A cube as conditions that all hold; empty for everything. */
export function cubeWords(space: Space, cube: Cube): readonly FieldWords[] {
  const rankOf = (level: number): number => space.levels[level]?.field.rank ?? 0;
  return [...cube]
    .sort(([a], [b]) => rankOf(a) - rankOf(b) || a - b)
    .map(([level, set]) => {
      const classes = space.levels[level];
      return classes === undefined ? { field: '', says: '' } : fieldWords(space, classes, set);
    });
}

function fieldWords({ tests }: Space, classes: Classes, set: ClassSet): FieldWords {
  const { field } = classes;
  if (classes.kind === 'flag') return flagWords(field, set);
  const chosen = numbersOf(set);
  if (classes.kind === 'text') {
    const asked = [...(tests.get(field.name)?.values() ?? [])];
    return { field: field.name, says: textWords(classes.classes, new Set(chosen), asked) };
  }
  const parts = chosen.map((i) => classes.parts[i]).filter((part) => part !== undefined);
  const isAddress = field.name.endsWith('.address');
  const whole = joinIntervals(classes.parts);
  return { field: field.name, says: numberWords(field, joinIntervals(parts), whole, isAddress) };
}

function numbersOf(set: ClassSet): readonly number[] {
  return set.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
}

function flagWords(field: Field, set: ClassSet): FieldWords {
  const isYes = set[0]?.[0] === 1;
  if (field.kind === 'same') {
    return { field: field.a.name, says: `${isYes ? '==' : '!='} ${field.b.name}` };
  }
  const [who = '', what = ''] = field.name.split(/ is (.*)/);
  return {
    field: who,
    says: isYes
      ? `is ${what}`
      : `is ${what.replace(/^(a|of) /, (word) => (word === 'a ' ? 'no ' : 'not of '))}`,
  };
}

const TEN_POWER_6 = 1_000_000n;

function numberWords(
  field: Field,
  parts: readonly Interval[],
  whole: readonly Interval[],
  isAddress: boolean,
): string {
  if (field === PROTOCOL_FIELD) return parts.map(([p]) => (p === 6n ? 'TCP' : 'UDP')).join(' or ');
  if (field === FAMILY_FIELD) return parts.map(([p]) => `IPv${p}`).join(' or ');
  if (field === CLOCK_FIELD) {
    const time = (ns: bigint): string => new Date(Number(ns / TEN_POWER_6)).toISOString();
    return parts.map(([from, to]) => `${time(from)} to ${time(to)}`).join(' or ');
  }
  const list = (items: readonly Interval[]): readonly string[] =>
    isAddress
      ? items.flatMap(blocksOf)
      : items.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  const [inside, outside] = [list(parts), list(gaps(parts, whole))];
  return outside.length < inside.length ? `not ${some(outside)}` : some(inside);
}

function some(texts: readonly string[]): string {
  const rest = texts.length - SHOWN;
  return rest > 1 ? `${texts.slice(0, SHOWN).join(', ')} and ${rest} more` : texts.join(', ');
}

/** What some stretches leave of others. */
function gaps(parts: readonly Interval[], whole: readonly Interval[]): readonly Interval[] {
  return whole.flatMap(([from, to]): Interval[] => {
    const found: Interval[] = [];
    let at = from;
    for (const [low, high] of parts) {
      if (high < from || low > to) continue;
      if (low > at) found.push([at, low - 1n]);
      at = high + 1n;
    }
    if (at <= to) found.push([at, to]);
    return found;
  });
}

/** A stretch of addresses as blocks. */
function blocksOf([from, to]: Interval): readonly string[] {
  const blocks: string[] = [];
  for (let at = from; at <= to; ) {
    let free = 0n;
    while (free < 128n && at % (1n << (free + 1n)) === 0n && at + (1n << (free + 1n)) - 1n <= to)
      free += 1n;
    blocks.push(blockText(at, free));
    at += 1n << free;
  }
  return blocks;
}

function blockText(at: bigint, free: bigint): string {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) =>
    Number((at >> BigInt(8 * (15 - i))) & 0xffn),
  );
  const isFour = at >= IPV4[0] && at <= IPV4[1] && free <= 32n;
  const bits = (isFour ? 32n : 128n) - free;
  const text = formatAddress(bytes);
  return free === 0n ? text : `${text}/${bits}`;
}

const quote = (text: string): string => JSON.stringify(text);

/** A test as something that holds, and that does not. */
function testWords(test: TextTest): readonly [string, string] {
  switch (test.op) {
    case 'is':
      return [`is ${quote(test.text)}`, `is not ${quote(test.text)}`].map(
        (words) => words + caseWords(test),
      ) as unknown as readonly [string, string];
    case 'startsWith':
      return [
        `begins with ${quote(test.text)}${caseWords(test)}`,
        `does not begin with ${quote(test.text)}${caseWords(test)}`,
      ];
    case 'endsWith':
      return [
        `ends with ${quote(test.text)}${caseWords(test)}`,
        `does not end with ${quote(test.text)}${caseWords(test)}`,
      ];
    case 'contains':
      return [`contains ${quote(test.text)}`, `does not contain ${quote(test.text)}`];
    case 'path':
    case 'host':
      return [`fits ${test.pattern}`, `does not fit ${test.pattern}`];
    case 'regex':
      return [`matches /${test.pattern}/`, `does not match /${test.pattern}/`];
    case 'longer':
      return [`is longer than ${test.than}`, `is not longer than ${test.than}`];
    case 'byte': {
      const codes = test.codes.map(codeWords).join(', ');
      return [`has ${codes} at ${test.index}`, `has not ${codes} at ${test.index}`];
    }
  }
}

function codeWords([from, to]: readonly [number, number]): string {
  const shown = (code: number): string => quote(String.fromCharCode(code));
  return from === to ? shown(from) : `${shown(from)}-${shown(to)}`;
}

function caseWords({ ignoresCase }: { readonly ignoresCase: boolean }): string {
  return ignoresCase ? ' (in either case)' : '';
}

/** What a text field may be, in as few words as the tests of the policies allow. */
function textWords(
  classes: readonly TextClass[],
  set: ReadonlySet<number>,
  tests: readonly TextTest[],
): string {
  const all = classes.map((_, i) => i);
  const isText = (i: number): boolean => classes[i]?.kind === 'text';
  const inside = all.filter((i) => set.has(i));
  const outside = all.filter((i) => !set.has(i));
  const present = all.filter(isText);
  const named = (list: readonly number[]): readonly string[] | null => {
    const texts = list.map((i) => {
      const item = classes[i];
      return item?.kind === 'text' && item.second === null ? quote(item.text) : null;
    });
    return texts.every((text) => text !== null) ? texts.filter((text) => text !== null) : null;
  };
  const special = inside
    .filter((i) => !isText(i))
    .map((i) => (classes[i]?.kind === 'absent' ? 'is absent' : 'stands more than once'));
  const texts = inside.filter(isText);
  const missing = outside.filter(isText);
  const withSpecial = (words: string): string =>
    [words, ...special].filter((word) => word !== '').join(' or ');
  if (texts.length === 0) return withSpecial('');
  if (missing.length === 0) return withSpecial('exists');
  const isSame = (list: readonly number[], test: (i: number) => boolean): boolean =>
    list.length === present.filter(test).length && list.every(test);
  const hits =
    (test: TextTest) =>
    (i: number): boolean => {
      const item = classes[i];
      return item?.kind === 'text' && passes(test, item.text);
    };
  for (const test of tests) {
    if (isSame(texts, hits(test))) return withSpecial(testWords(test)[0]);
    if (isSame(missing, hits(test))) return withSpecial(testWords(test)[1]);
  }
  const [are, areNot] = [named(texts), named(missing)];
  if (are !== null && (areNot === null || are.length <= areNot.length))
    return withSpecial(`is ${are.length > 1 ? 'one of ' : ''}${some(are)}`);
  if (areNot !== null) return withSpecial(`is none of ${some(areNot)}`);
  return withSpecial(unionWords(texts, tests, { hits, classes, missing }));
}

/** Tests that lie in the set wholly, then what they leave, text by text. */
function unionWords(
  texts: readonly number[],
  tests: readonly TextTest[],
  {
    hits,
    classes,
    missing,
  }: {
    readonly hits: (test: TextTest) => (i: number) => boolean;
    readonly classes: readonly TextClass[];
    readonly missing: readonly number[];
  },
): string {
  let rest = [...texts];
  const words: string[] = [];
  const fitting = tests.filter((test) => !missing.some(hits(test)));
  while (rest.length > 0) {
    const best = fitting
      .map((test) => ({ test, count: rest.filter(hits(test)).length }))
      .reduce((a, b) => (b.count > a.count ? b : a), { test: null as TextTest | null, count: 0 });
    if (best.test === null || best.count === 0) break;
    words.push(testWords(best.test)[0]);
    rest = rest.filter((i) => !hits(best.test as TextTest)(i));
  }
  for (const i of rest) {
    const item = classes[i];
    if (item?.kind !== 'text') continue;
    if (item.second === null) words.push(`is ${quote(item.text)}`);
    else {
      const held = tests.filter((test) => hits(test)(i)).map((test) => testWords(test)[0]);
      words.push(
        held.length === 0
          ? `is another, as ${quote(item.text)}`
          : `${held.join(' and ')}, as ${quote(item.text)}`,
      );
    }
  }
  return some(words.map((word, i) => (i === 0 ? word : `or ${word}`))).replaceAll(', or', ' or');
}
