/** The fields of the input that a decision may depend on: names as a policy writes them, kinds, and what they can hold. */
import type { AttributeName, SideName, ViewName } from '../../compiler/abi/index.js';
import type { Interval } from './intervals.js';
import type { ListName } from './named-search.js';
import type { DomainName } from './text-domain.js';

export interface FlagField {
  readonly kind: 'flag';
  readonly name: string;
  readonly rank: number;
}
/** Whether two texts are the same one; absent ones are. */
export interface SameField {
  readonly kind: 'same';
  readonly name: string;
  readonly rank: number;
  readonly a: TextField;
  readonly b: TextField;
}
export interface NumberField {
  readonly kind: 'number';
  readonly name: string;
  readonly rank: number;
  readonly within: readonly Interval[];
  /** Of a draw that is divided: which draw, and by what. */
  readonly residue?: { readonly of: NumberField; readonly modulus: bigint };
  /** Of a hash: the text that is hashed. */
  readonly hashed?: TextField;
}
export interface TextField {
  readonly kind: 'text';
  readonly name: string;
  readonly rank: number;
  readonly domain: DomainName;
  /** Whether it may stand more than once in a request. */
  readonly repeats: boolean;
  readonly of:
    | {
        readonly side: SideName;
        readonly attribute: AttributeName | 'label';
        readonly key: string | null;
      }
    | { readonly view: ViewName }
    | { readonly header: string }
    /** A parameter of the query or a cookie, by its name. */
    | { readonly list: ListName; readonly name: string }
    /** The name of the service that is routed to. */
    | { readonly service: true };
}
export type Field = FlagField | SameField | NumberField | TextField;

/** Fields are asked in this order: what most rules name comes first, what cannot be decided last. */
const RANK = {
  known: 0,
  service: 1,
  attribute: 2,
  same: 30,
  family: 40,
  address: 41,
  protocol: 50,
  port: 51,
  http: 51.5,
  clock: 52,
  draw: 53,
  view: 60,
  header: 70,
  item: 75,
  hash: 80,
  opaque: 1000,
} as const;

const SIDES: readonly SideName[] = ['source', 'destination'];

/** Whether an end is a workload of the world. */
export function knownField(side: SideName): FlagField {
  return { kind: 'flag', name: `${side} is a workload`, rank: RANK.known };
}

/** Whether the destination stands behind a service. */
export function serviceField(service: string): FlagField {
  return { kind: 'flag', name: `destination is of service ${service}`, rank: RANK.service };
}

/** Whether requests to the destination's port are judged one by one. */
export const HTTP_FIELD: FlagField = {
  kind: 'flag',
  name: 'destination.port is a port with HTTP',
  rank: RANK.http,
};

/** Something that is not looked into; the same number is the same question in both versions. */
export function opaqueField(number: number): FlagField {
  return { kind: 'flag', name: `undecided ${number}`, rank: RANK.opaque };
}
export function isOpaque(field: Field): boolean {
  return field.rank === RANK.opaque;
}

export function sameField(a: TextField, b: TextField): SameField {
  const rank = RANK.attribute + Math.max(a.rank, b.rank) - RANK.attribute;
  return { kind: 'same', name: `${a.name} == ${b.name}`, rank: rank + 0.5, a, b };
}

const DOMAIN_OF: Readonly<Record<AttributeName | 'label', DomainName>> = {
  namespace: 'name',
  workload: 'name',
  serviceAccount: 'part',
  trustDomain: 'part',
  principal: 'free',
  region: 'free',
  zone: 'free',
  node: 'free',
  label: 'free',
};
/** Places of the attributes; the two sides of one stand together, since policies compare them. */
const ORDER = Object.keys(DOMAIN_OF);

export function attributeField(
  side: SideName,
  attribute: AttributeName | 'label',
  key: string | null = null,
): TextField {
  const name =
    attribute === 'label' ? `${side}.label(${JSON.stringify(key)})` : `${side}.${attribute}`;
  const rank = RANK.attribute + 2 * ORDER.indexOf(attribute) + (side === SIDES[0] ? 0 : 1) / 4;
  const domain = DOMAIN_OF[attribute];
  return { kind: 'text', name, rank, domain, repeats: false, of: { side, attribute, key } };
}

const VIEW_DOMAIN: Readonly<Record<Exclude<ViewName, 'target'>, DomainName>> = {
  method: 'method',
  path: 'path',
  query: 'query',
  host: 'host',
};
export function viewField(view: Exclude<ViewName, 'target'>): TextField {
  const name = view === 'query' ? 'request.queryString' : `request.${view}`;
  return {
    kind: 'text',
    name,
    rank: RANK.view,
    domain: VIEW_DOMAIN[view],
    repeats: false,
    of: { view },
  };
}
export function headerField(header: string): TextField {
  const name = `request.header(${JSON.stringify(header)})`;
  return { kind: 'text', name, rank: RANK.header, domain: 'header', repeats: true, of: { header } };
}

/** A parameter of the query, or a cookie. */
export function itemField(list: ListName, name: string): TextField {
  return {
    kind: 'text',
    name: `request.${list}(${JSON.stringify(name)})`,
    rank: RANK.item,
    domain: list === 'query' ? 'parameter' : 'cookie',
    repeats: false,
    of: { list, name },
  };
}
/** The text in which the items of a list stand. */
export function listField(list: ListName): TextField {
  return list === 'query' ? viewField('query') : headerField('cookie');
}

/** The service that a connection or request is routed of, as `reviews.prod`. */
export const SERVICE_FIELD: TextField = {
  kind: 'text',
  name: 'service',
  rank: RANK.service,
  domain: 'service',
  repeats: false,
  of: { service: true },
};

const WORDS: readonly Interval[] = [[0n, 0xffff_ffffn]];
/** The draw of a connection. */
export const DRAW_FIELD: NumberField = {
  kind: 'number',
  name: 'draw',
  rank: RANK.draw,
  within: WORDS,
};
/** The hash of a text, as sticky splits have it. */
export function hashField(hashed: TextField): NumberField {
  return {
    kind: 'number',
    name: `hash(${hashed.name})`,
    rank: RANK.hash,
    within: WORDS,
    hashed,
  };
}
/** What a division of a draw leaves. */
export function residueField(of: NumberField, modulus: bigint): NumberField {
  const name = `${of.name} % ${modulus}`;
  return { ...of, name, within: [[0n, modulus - 1n]], residue: { of, modulus } };
}

const MAPPED = 0xffff_0000_0000n;
/** IPv4 addresses among those of 128 bits. */
export const IPV4: Interval = [MAPPED, MAPPED | 0xffff_ffffn];
const ADDRESSES: Interval = [0n, (1n << 128n) - 1n];

export function addressField(side: SideName): NumberField {
  return { kind: 'number', name: `${side}.address`, rank: RANK.address, within: [ADDRESSES] };
}
export const PORT_FIELD: NumberField = {
  kind: 'number',
  name: 'destination.port',
  rank: RANK.port,
  within: [[1n, 65535n]],
};
export const PROTOCOL_FIELD: NumberField = {
  kind: 'number',
  name: 'protocol',
  rank: RANK.protocol,
  within: [
    [6n, 6n],
    [17n, 17n],
  ],
};
export const FAMILY_FIELD: NumberField = {
  kind: 'number',
  name: 'family',
  rank: RANK.family,
  within: [
    [4n, 4n],
    [6n, 6n],
  ],
};
export const CLOCK_FIELD: NumberField = {
  kind: 'number',
  name: 'now',
  rank: RANK.clock,
  within: [[0n, (1n << 62n) - 1n]],
};
