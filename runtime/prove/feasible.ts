/**
 * Which combinations of fields there are: a principal needs a service account, both ends have one address family,
 * two texts that are the same are of one class. Differences elsewhere are none.
 */
import { type SideName, viewHash } from '../../compiler/abi/index.js';
import type { Level } from './decide.js';
import { ALL, classesWhere, type Diagram, NONE, TooLarge } from './diagram.js';
import {
  addressField,
  attributeField,
  FAMILY_FIELD,
  type Field,
  HTTP_FIELD,
  IPV4,
  knownField,
  listField,
  type NumberField,
  PROTOCOL_FIELD,
  type SameField,
  type TextField,
  viewField,
} from './field.js';
import type { Classes, Space, Survey } from './guards.js';
import type { Interval } from './intervals.js';
import type { ListName } from './named-search.js';

type NumberClasses = Extract<Classes, { readonly kind: 'number' }>;

const SIDES: readonly SideName[] = ['source', 'destination'];
/** What every workload has. */
const GIVEN: ReadonlySet<string> = new Set(['namespace', 'workload', 'trustDomain']);
const HAS_PORT = { op: 'regex', pattern: '[^:].*:[0-9]{1,5}' } as const;

/** Asks what the constraints need, so that the classes can tell it. */
export function askConstraints(survey: Survey): void {
  for (const side of SIDES) survey.flag(knownField(side));
  const fields = [...survey.fields.values()];
  const has = (field: Field): boolean => fields.some(({ name }) => name === field.name);
  if (
    fields.some(
      ({ kind, name }) => kind === 'number' && (name === 'family' || name.endsWith('.address')),
    )
  ) {
    for (const side of SIDES) survey.number(addressField(side), [IPV4]);
    survey.number(FAMILY_FIELD, [[4n, 4n]]);
  }
  for (const field of fields) {
    if (field.kind === 'flag' && field.name.startsWith(SERVICE)) {
      const [, namespace = ''] = serviceOf(field.name).split('.');
      survey.text(attributeField('destination', 'namespace'), {
        op: 'is',
        text: namespace,
        ignoresCase: false,
      });
    }
  }
  if (has(HTTP_FIELD)) survey.number(PROTOCOL_FIELD, [TCP]);
  for (const field of fields) {
    if (field.kind !== 'number' || field.hashed === undefined) continue;
    for (const test of survey.tests.get(field.hashed.name)?.values() ?? []) {
      if (test.op === 'is') survey.number(field, [hashPart(field, test.text)]);
    }
  }
  const hasItems = fields.some(
    (field) => field.kind === 'text' && 'list' in field.of && field.of.list === 'query',
  );
  if (hasItems || has(viewField('path')) || has(viewField('method')) || has(viewField('query'))) {
    survey.text(viewField('method'), { op: 'is', text: 'CONNECT', ignoresCase: false });
    if (has(viewField('host'))) survey.text(viewField('host'), HAS_PORT);
  }
}

const TCP: Interval = [6n, 6n];
const SERVICE = 'destination is of service ';
export function serviceOf(name: string): string {
  return name.slice(SERVICE.length);
}

/** All inputs that there can be at a level. Throws TooLarge. */
export function feasible(space: Space, level: Level): Diagram {
  const parts: Diagram[] = [residues(space)];
  const known = (side: SideName): Diagram => space.flag(knownField(side));
  parts.push(space.or(known('source'), known('destination')));
  for (const { field } of space.levels) {
    if (field.kind === 'text' && 'side' in field.of) parts.push(presence(space, field, field.of));
    if (field.kind === 'same') parts.push(sameness(space, field));
    if (field.kind === 'number') parts.push(hashing(space, field));
    if (field.kind === 'text' && 'list' in field.of)
      parts.push(listed(space, field, field.of.list));
    if (field.kind === 'flag' && field.name.startsWith(SERVICE)) {
      const [, namespace = ''] = serviceOf(field.name).split('.');
      const home = space.text(attributeField('destination', 'namespace'), {
        op: 'is',
        text: namespace,
        ignoresCase: false,
      });
      parts.push(space.or(space.not(space.flag(field)), space.and(home, known('destination'))));
    }
  }
  if (space.levelOf(FAMILY_FIELD.name) !== null) {
    const isFour = space.number(FAMILY_FIELD, [[4n, 4n]]);
    for (const side of SIDES)
      parts.push(equal(space, isFour, space.number(addressField(side), [IPV4])));
  }
  // A port has HTTP by a service in front of a workload, and for TCP alone.
  if (space.levelOf(HTTP_FIELD.name) !== null) {
    const isTcp = space.and(known('destination'), space.number(PROTOCOL_FIELD, [TCP]));
    parts.push(space.or(space.not(space.flag(HTTP_FIELD)), isTcp));
  }
  if (level === 'request') {
    parts.push(space.number(PROTOCOL_FIELD, [TCP]));
    parts.push(requests(space));
  }
  return parts.reduce(space.and, ALL);
}

function equal(space: Space, a: Diagram, b: Diagram): Diagram {
  return space.or(space.and(a, b), space.and(space.not(a), space.not(b)));
}

/** A stranger has no attributes; a workload has those that every one has. */
function presence(
  space: Space,
  field: TextField,
  { side, attribute }: { readonly side: SideName; readonly attribute: string },
): Diagram {
  const known = space.flag(knownField(side));
  const absent = space.absent(field);
  const given = GIVEN.has(attribute)
    ? equal(space, known, space.not(absent))
    : space.or(known, absent);
  return given;
}

/** Two fields are the same where they are of one class, and always where that class is of one text. */
function sameness(space: Space, field: SameField): Diagram {
  const [a, b, level] = [field.a, field.b, field].map(({ name }) => space.levelOf(name));
  const [first, second] = [a, b].map((at) => (at == null ? undefined : space.levels[at]));
  if (a == null || b == null || level == null || first?.kind !== 'text' || second?.kind !== 'text')
    return ALL;
  const { diagrams } = space;
  const isSame = space.flag(field);
  const alike = first.classes.map((item, i) => {
    const only = (at: number): Diagram =>
      diagrams.literal(
        at,
        classesWhere(first.classes.length, (n) => n === i),
      );
    const isOne = item.kind !== 'text' || item.second === null;
    return { both: space.and(only(a), only(b)), isOne };
  });
  const inOne = diagrams.union(alike.map(({ both }) => both));
  const inSingle = diagrams.union(alike.filter(({ isOne }) => isOne).map(({ both }) => both));
  return space.and(space.or(space.not(isSame), inOne), space.or(isSame, space.not(inSingle)));
}

const WORD = 0xffff_ffffn;

/** What a hash, or what a division leaves of it, is for one text. */
function hashPart({ residue }: NumberField, text: string): Interval {
  const hash = hashOf(text);
  const value = residue === undefined ? hash : hash % residue.modulus;
  return [value, value];
}

/** The hash of a text, as sticky splits have it. */
export function hashOf(text: string): bigint {
  return viewHash(Uint8Array.from(text, (char) => char.charCodeAt(0))) & WORD;
}

/** One text has one hash; of a class of many there is one for each. */
function hashing(space: Space, field: NumberField): Diagram {
  const level = field.hashed === undefined ? null : space.levelOf(field.hashed.name);
  const hashed = level === null ? undefined : space.levels[level];
  if (hashed?.kind !== 'text') return ALL;
  const named = hashed.classes.flatMap((item) =>
    item.kind === 'text' && item.second === null ? [item.text] : [],
  );
  const tests = space.tests.get(hashed.field.name)?.values() ?? [];
  const told = new Set([...tests].flatMap((test) => (test.op === 'is' ? [test.text] : [])));
  return named
    .filter((text) => told.has(text))
    .map((text) =>
      space.or(
        space.not(space.text(hashed.field, { op: 'is', text, ignoresCase: false })),
        space.number(field, [hashPart(field, text)]),
      ),
    )
    .reduce(space.and, ALL);
}

/** Divisions of one draw are looked at together up to so many draws. */
const MAX_DRAWS = 100_000n;

/** The least number that some numbers divide. */
export function commonMultiple(numbers: readonly bigint[]): bigint {
  const divisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : divisor(b, a % b));
  return numbers.reduce((all, one) => (all / divisor(all, one)) * one, 1n);
}

/** What several divisions leave of one draw fits together. */
function residues(space: Space): Diagram {
  const numbers = space.levels.flatMap((classes) => (classes.kind === 'number' ? [classes] : []));
  const draws = new Set(numbers.flatMap(({ field }) => field.residue?.of.name ?? []));
  return [...draws].map((draw) => together(space, numbers, draw)).reduce(space.and, ALL);
}

function together(space: Space, numbers: readonly NumberClasses[], draw: string): Diagram {
  const parts = numbers.filter(({ field }) => field.residue?.of.name === draw);
  const isWhole = space.levelOf(draw) !== null;
  if (parts.length === 1 && !isWhole) return ALL;
  const all = commonMultiple(parts.map(({ field }) => field.residue?.modulus ?? 1n));
  if (isWhole || all > MAX_DRAWS) throw new TooLarge('one draw is divided in too many ways');
  const seen = new Map<string, Diagram>();
  for (let value = 0n; value < all; value += 1n) {
    const places = parts.map(({ field, parts: list }) => {
      const rest = value % (field.residue?.modulus ?? 1n);
      return list.findIndex(([from, to]) => rest >= from && rest <= to);
    });
    const key = places.join();
    if (seen.has(key)) continue;
    const cube = parts.map(({ field, parts: list }, i) => {
      const part = list[places[i] ?? -1];
      return part === undefined ? ALL : space.number(field, [part]);
    });
    seen.set(key, cube.reduce(space.and, ALL));
  }
  return space.diagrams.union([...seen.values()]);
}

/** A parameter or cookie is there only where its list is. */
function listed(space: Space, field: TextField, list: ListName): Diagram {
  const absent = space.absent(field);
  const whole = listField(list);
  const isTunnel = space.text(viewField('method'), {
    op: 'is',
    text: 'CONNECT',
    ignoresCase: false,
  });
  const parts = list === 'query' ? [space.or(space.not(isTunnel), absent)] : [];
  const level = space.levelOf(whole.name);
  if (level !== null) {
    const hasNone = space.where(whole, (item) => item.kind !== 'text' || item.text === '') ?? NONE;
    parts.push(space.or(absent, space.not(hasNone)));
  }
  return parts.reduce(space.and, ALL);
}

/** A tunnel has no path, and its host a port; what stands for the whole server is not searched. */
function requests(space: Space): Diagram {
  const method = viewField('method');
  if (space.levelOf(method.name) === null) return ALL;
  const isTunnel = space.text(method, { op: 'is', text: 'CONNECT', ignoresCase: false });
  const parts = [space.not(space.absent(method))];
  if (space.levelOf(viewField('path').name) !== null)
    parts.push(equal(space, isTunnel, space.absent(viewField('path'))));
  if (space.levelOf(viewField('query').name) !== null) {
    parts.push(space.or(space.not(isTunnel), space.absent(viewField('query'))));
  }
  if (space.levelOf(viewField('host').name) !== null) {
    parts.push(space.or(space.not(isTunnel), space.text(viewField('host'), HAS_PORT)));
  }
  return parts.reduce(space.and, ALL);
}
