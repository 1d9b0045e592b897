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
  HTTP_FIELD,
  headerField,
  IPV4,
  knownField,
  listField,
  PORT_FIELD,
  PROTOCOL_FIELD,
  serviceField,
  type TextField,
  viewField,
} from './field.js';
import type { Space } from './guards.js';
import type { ListName } from './named-search.js';
import { Point } from './point.js';

export interface Example {
  readonly world: World;
  readonly input: DecideInput;
}

const [FOUR] = IPV4;
const SIX = 0xfd00n << 112n;
export const USUAL: Readonly<Record<SideName, readonly bigint[]>> = {
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
export const PORTS: readonly bigint[] = [80n, 443n, 8080n];
/** What a service of the example selects by. */
const MARK = 'weft.dev/example';

export function addressOf(number: bigint): Address {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i += 1) bytes[i] = Number((number >> BigInt(8 * (15 - i))) & 0xffn);
  const isFour = number >= IPV4[0] && number <= IPV4[1];
  return { family: isFour ? 4 : 6, bytes, text: formatAddress(bytes) };
}

export function workloadOf(
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

function serviceAt(
  name: string,
  number: number,
  port: Service['ports'][number] = { port: 1, target: 1, protocol: 'tcp' },
): Service {
  const [short = '', namespace = ''] = name.split('.');
  return {
    name,
    namespace,
    addresses: [addressOf(FOUR | BigInt(0xf0000001 + number))],
    ports: [port],
    clusters: [{ name: `${short}/example`, selector: { [MARK]: 'yes' } }],
    balance: 'round-robin',
    at: null,
  };
}

/** What stands in front of the destination: the services that are asked about, and one that makes its port one with HTTP. */
function servicesOf(point: Point, names: readonly string[], port: number): readonly Service[] {
  const asked = names.map((name, i) => serviceAt(name, i));
  if (point.flag(HTTP_FIELD.name) !== true) return asked;
  const isTaken = (name: string): boolean => point.flag(serviceField(name).name) !== null;
  const namespace = point.text(attributeField('destination', 'namespace').name, 'default');
  let short = 'web';
  while (isTaken(`${short}.${namespace}`)) short += 'b';
  const http = { port, target: port, protocol: 'http' } as const;
  return [...asked, serviceAt(`${short}.${namespace}`, names.length, http)];
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

/** Parameters or cookies that there are. */
function itemsOf(point: Point, list: ListName): readonly (readonly [string, string])[] {
  return point.fields.flatMap((field) => {
    if (field.kind !== 'text' || !('list' in field.of) || field.of.list !== list) return [];
    const value = point.text(field.name, null);
    return value === null ? [] : [[field.of.name, value] as const];
  });
}

/** A name that nobody asks for. */
function otherName(point: Point): string {
  const names = new Set(
    point.fields.flatMap((field) =>
      field.kind === 'text' && 'list' in field.of ? [field.of.name] : [],
    ),
  );
  let name = 'other';
  while (names.has(name)) name += '_';
  return name;
}

/** The text of a list: its items, or where there is none what is asked of the whole. */
function listText(point: Point, list: ListName): string | null {
  const items = itemsOf(point, list).map(([name, value]) => `${name}=${value}`);
  const whole = point.text(listField(list).name, null);
  if (items.length === 0) {
    const hasNames = point.fields.some(
      (field) => field.kind === 'text' && 'list' in field.of && field.of.list === list,
    );
    return whole === null || whole === '' || !hasNames ? whole : `${otherName(point)}=x`;
  }
  if (list === 'query') return items.join('&');
  // Blanks at the end of a header are cut off.
  const text = items.join('; ');
  return text.endsWith(' ') ? `${text}; ${otherName(point)}=x` : text;
}

export function requestOf(point: Point): RequestText {
  const method = point.text(viewField('method').name, 'GET') ?? 'GET';
  const path = point.text(viewField('path').name, '/');
  const query = listText(point, 'query');
  const host = point.text(viewField('host').name, 'example.test');
  const headers: [string, string][] = host === null ? [] : [['host', host]];
  for (const field of point.fields) {
    if (field.kind !== 'text' || !('header' in field.of)) continue;
    const name = field.of.header;
    if (point.isRepeated(headerField(name).name)) headers.push([name, 'x'], [name, 'y']);
    const value = point.text(field.name, null);
    if (value !== null && name !== 'cookie') headers.push([name, value]);
  }
  const cookies = listText(point, 'cookie');
  if (cookies !== null) headers.push(['cookie', cookies]);
  const target =
    method === 'CONNECT'
      ? (host ?? '')
      : sentPath(path ?? '/') + (query === null ? '' : `?${query}`);
  return { method, target, version: host === null ? '1.0' : '1.1', headers };
}

/** Whether an input does well without it. */
function isSpare({ of }: TextField): boolean {
  return 'list' in of || 'header' in of || ('side' in of && of.attribute === 'label');
}

/** Some input of a set that is not empty. Throws NoExample. */
export function pointOf(space: Space, set: Diagram): Point {
  const isKnown = (at: number): boolean =>
    space.levels[at]?.field.name.endsWith(' is a workload') === true;
  const path = space.diagrams.path(set, isKnown);
  // What the set does not ask may be anything: nothing where that can be.
  const least = (at: number): number => {
    const classes = space.levels[at];
    if (classes?.kind !== 'text' || !isSpare(classes.field)) return isKnown(at) ? 1 : 0;
    return classes.classes.findIndex(({ kind }) => kind === 'absent');
  };
  return new Point(space, (at) => path.get(at)?.[0]?.[0] ?? least(at));
}

/** The same as a world and a question. */
export function exampleOf(space: Space, set: Diagram, level: Level): Example {
  return exampleAt(pointOf(space, set), level);
}

function exampleAt(point: Point, level: Level): Example {
  const from = addressOf(point.number('source.address', USUAL.source));
  const to = addressOf(point.number('destination.address', USUAL.destination));
  const port = Number(point.number(PORT_FIELD.name, PORTS));
  const names = point.fields.flatMap((field) =>
    field.name.startsWith('destination is of service ') && point.flag(field.name) === true
      ? [serviceOf(field.name)]
      : [],
  );
  const services = servicesOf(point, names, port);
  const source = workloadOf(point, 'source', from, []);
  const destination = workloadOf(
    point,
    'destination',
    to,
    services.map(({ name }) => name),
  );
  const workloads = [source, destination].filter((workload) => workload !== null);
  const world = { file: null, services, workloads };
  const protocol = point.number(PROTOCOL_FIELD.name, [6n]) === 17n ? 17 : 6;
  const input: DecideInput = {
    source: { workload: source === null ? null : 0, address: from },
    destination: { address: to, port },
    protocol,
    random: 0,
    pick: 0,
    now: point.number(CLOCK_FIELD.name, [DEFAULT_NOW]),
    ...(level === 'request' ? { request: requestOf(point) } : {}),
  };
  return { world, input };
}
