/**
 * Which combinations of fields there are: a principal needs a service account, both ends have one address family,
 * two texts that are the same are of one class. Differences elsewhere are none.
 */
import type { SideName } from '../../compiler/abi/index.js';
import type { Level } from './decide.js';
import { ALL, classesWhere, type Diagram } from './diagram.js';
import {
  addressField,
  attributeField,
  FAMILY_FIELD,
  type Field,
  IPV4,
  knownField,
  PROTOCOL_FIELD,
  type SameField,
  type TextField,
  viewField,
} from './field.js';
import type { Space, Survey } from './guards.js';

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
  if (has(viewField('path')) || has(viewField('method')) || has(viewField('query'))) {
    survey.text(viewField('method'), { op: 'is', text: 'CONNECT', ignoresCase: false });
    if (has(viewField('host'))) survey.text(viewField('host'), HAS_PORT);
  }
}

const SERVICE = 'destination is of service ';
export function serviceOf(name: string): string {
  return name.slice(SERVICE.length);
}

/** All inputs that there can be at a level. */
export function feasible(space: Space, level: Level): Diagram {
  const parts: Diagram[] = [];
  const known = (side: SideName): Diagram => space.flag(knownField(side));
  parts.push(space.or(known('source'), known('destination')));
  for (const { field } of space.levels) {
    if (field.kind === 'text' && 'side' in field.of) parts.push(presence(space, field, field.of));
    if (field.kind === 'same') parts.push(sameness(space, field));
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
  if (level === 'request') {
    parts.push(space.number(PROTOCOL_FIELD, [[6n, 6n]]));
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
