/**
 * One input of a set, as something that can be decided: a world of at most two workloads, and a connection or request
 * between them. Whoever tells of a set decides its example by the simulator first.
 */
import type { SideName } from '../../compiler/abi/index.js';
import {
  type Address,
  formatAddress,
  type Service,
  type Workload,
  type World,
} from '../discovery/index.js';
import { DEFAULT_NOW, type DecideInput, type RequestText } from '../simulate/index.js';
import type { Level } from './decide.js';
import type { Diagram } from './diagram.js';
import { serviceOf } from './feasible.js';
import {
  attributeField,
  CLOCK_FIELD,
  type Field,
  headerField,
  IPV4,
  knownField,
  PORT_FIELD,
  PROTOCOL_FIELD,
  viewField,
} from './field.js';
import type { Space } from './guards.js';
import type { Interval } from './intervals.js';

export interface Example {
  readonly world: World;
  readonly input: DecideInput;
}

/** What a field is in one input: a text, null where absent, `repeated`, a number, yes or no. */
class Point {
  readonly #space: Space;
  readonly #classAt: (level: number) => number;

  constructor(space: Space, classAt: (level: number) => number) {
    this.#space = space;
    this.#classAt = classAt;
  }

  #at(name: string): number | null {
    const level = this.#space.levelOf(name);
    return level === null ? null : this.#classAt(level);
  }

  /** Whether a question is answered by yes; null where nobody asked. */
  flag(name: string): boolean | null {
    const at = this.#at(name);
    return at === null ? null : at === 1;
  }

  /** The field's text, null where it is absent, `usual` where nobody asked. */
  text(name: string, usual: string | null): string | null {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    const item = classes?.kind === 'text' && at !== null ? classes.classes[at] : undefined;
    if (item === undefined) return usual;
    if (item.kind !== 'text') return null;
    return this.#isOther(name) ? (item.second ?? item.text) : item.text;
  }

  isRepeated(name: string): boolean {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    return classes?.kind === 'text' && at !== null && classes.classes[at]?.kind === 'repeated';
  }

  /** The second of two fields that are not the same takes the second text of their class. */
  #isOther(name: string): boolean {
    return this.#space.levels.some(
      ({ field }) =>
        field.kind === 'same' && field.b.name === name && this.flag(field.name) === false,
    );
  }

  part(name: string): Interval | null {
    const level = this.#space.levelOf(name);
    const at = this.#at(name);
    const classes = level === null ? undefined : this.#space.levels[level];
    return classes?.kind === 'number' && at !== null ? (classes.parts[at] ?? null) : null;
  }

  /** One of some numbers where it fits, else the first that does. */
  number(name: string, preferred: readonly bigint[]): bigint {
    const part = this.part(name);
    if (part === null) return preferred[0] ?? 0n;
    const usual = preferred.find((number) => number >= part[0] && number <= part[1]);
    return usual ?? (part[0] < part[1] ? part[0] + 1n : part[0]);
  }

  get fields(): readonly Field[] {
    return this.#space.levels.map(({ field }) => field);
  }
}

const [FOUR] = IPV4;
const SIX = 0xfd00n << 112n;
const USUAL: Readonly<Record<SideName, readonly bigint[]>> = {
  source: [
    FOUR | 0x0a000001n,
    FOUR | 0xc0000201n,
    FOUR | 0xcb007101n,
    SIX | 1n,
    (0x20010db8n << 96n) | 1n,
  ],
  destination: [
    FOUR | 0x0a000002n,
    FOUR | 0xc0000202n,
    FOUR | 0xcb007102n,
    SIX | 2n,
    (0x20010db8n << 96n) | 2n,
  ],
};
const PORTS = [80n, 443n, 8080n];
/** What a service of the example selects by. */
const MARK = 'weft.dev/example';

function addressOf(number: bigint): Address {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i += 1) bytes[i] = Number((number >> BigInt(8 * (15 - i))) & 0xffn);
  const isFour = number >= IPV4[0] && number <= IPV4[1];
  return { family: isFour ? 4 : 6, bytes, text: formatAddress(bytes) };
}

function workloadOf(
  point: Point,
  side: SideName,
  address: Address,
  services: readonly string[],
): Workload | null {
  if (point.flag(knownField(side).name) === false) return null;
  const text = (
    attribute: Parameters<typeof attributeField>[1],
    usual: string | null,
  ): string | null => point.text(attributeField(side, attribute).name, usual);
  const namespace = text('namespace', 'default') ?? 'default';
  const labels: Record<string, string> = services.length === 0 ? {} : { [MARK]: 'yes' };
  for (const field of point.fields) {
    if (field.kind !== 'text' || !('side' in field.of) || field.of.side !== side) continue;
    const value = field.of.attribute === 'label' ? point.text(field.name, null) : null;
    if (value !== null && field.of.key !== null) labels[field.of.key] = value;
  }
  return {
    name: `${text('workload', side === 'source' ? 'client' : 'server')}.${namespace}`,
    namespace,
    addresses: [address],
    labels,
    serviceAccount: text('serviceAccount', null),
    trustDomain: text('trustDomain', 'cluster.local') ?? 'cluster.local',
    locality: { region: text('region', null), zone: text('zone', null) },
    node: text('node', null),
    cgroup: null,
    healthy: true,
    weight: 1,
    at: null,
  };
}

function serviceAt(name: string, number: number): Service {
  const [short = '', namespace = ''] = name.split('.');
  return {
    name,
    namespace,
    addresses: [addressOf(FOUR | BigInt(0xf0000001 + number))],
    ports: [{ port: 1, target: 1, protocol: 'tcp' }],
    clusters: [{ name: `${short}/example`, selector: { [MARK]: 'yes' } }],
    balance: 'round-robin',
    at: null,
  };
}

/** Escapes what a path has once it is normalised, and would lose if it were sent so. */
function sentPath(path: string): string {
  const last = (code: string): string => `%${(code.codePointAt(0) ?? 0).toString(16)}`;
  return path.replace(/%([0-9A-Fa-f])([0-9A-Fa-f])/g, (whole, high: string, low: string) => {
    const byte = Number.parseInt(high + low, 16);
    const isDecoded = byte === 0 || /[-.0-9A-Z_a-z~]/.test(String.fromCharCode(byte));
    return isDecoded ? `%${high}${last(low)}` : whole;
  });
}

function requestOf(point: Point): RequestText {
  const method = point.text(viewField('method').name, 'GET') ?? 'GET';
  const path = point.text(viewField('path').name, '/');
  const query = point.text(viewField('query').name, null);
  const host = point.text(viewField('host').name, 'example.test');
  const headers: [string, string][] = host === null ? [] : [['host', host]];
  for (const field of point.fields) {
    if (field.kind !== 'text' || !('header' in field.of)) continue;
    const name = field.of.header;
    if (point.isRepeated(headerField(name).name)) headers.push([name, 'x'], [name, 'y']);
    const value = point.text(field.name, null);
    if (value !== null) headers.push([name, value]);
  }
  const target =
    method === 'CONNECT'
      ? (host ?? '')
      : sentPath(path ?? '/') + (query === null ? '' : `?${query}`);
  return { method, target, version: host === null ? '1.0' : '1.1', headers };
}

/** Some input of a set that is not empty. */
export function exampleOf(space: Space, set: Diagram, level: Level): Example {
  const isKnown = (at: number): boolean =>
    space.levels[at]?.field.name.endsWith(' is a workload') === true;
  const path = space.diagrams.path(set, isKnown);
  // What the set does not ask may be anything.
  const point = new Point(space, (at) => path.get(at)?.[0]?.[0] ?? (isKnown(at) ? 1 : 0));
  return exampleAt(point, level);
}

function exampleAt(point: Point, level: Level): Example {
  const from = addressOf(point.number('source.address', USUAL.source));
  const to = addressOf(point.number('destination.address', USUAL.destination));
  const services = point.fields.flatMap((field) =>
    field.name.startsWith('destination is of service ') && point.flag(field.name) === true
      ? [serviceOf(field.name)]
      : [],
  );
  const source = workloadOf(point, 'source', from, []);
  const destination = workloadOf(point, 'destination', to, services);
  const workloads = [source, destination].filter((workload) => workload !== null);
  const world = { file: null, services: services.map(serviceAt), workloads };
  const protocol = point.number(PROTOCOL_FIELD.name, [6n]) === 17n ? 17 : 6;
  const input: DecideInput = {
    source: { workload: source === null ? null : 0, address: from },
    destination: { address: to, port: Number(point.number(PORT_FIELD.name, PORTS)) },
    protocol,
    random: 0,
    pick: 0,
    now: point.number(CLOCK_FIELD.name, [DEFAULT_NOW]),
    ...(level === 'request' ? { request: requestOf(point) } : {}),
  };
  return { world, input };
}
