/** VirtualServices and HTTPRoutes of services, the YAML of them, and requests that meet what they ask about, and its near misses. */
import { parseAddress } from '../../runtime/discovery/index.js';
import type { CaseParty } from './case-file.js';
import type { RequestFacts } from './encode-request.js';
import type { Prng } from './prng.js';
import type {
  GatewayMatch,
  GatewayRoute,
  GatewayRule,
  HeaderOperations,
  RouteRequest,
  VirtualMatch,
  VirtualRule,
  VirtualService,
} from './route-interpreter.js';

/** Where all of them lead: the clusters of the fixture world. */
export const SUBSETS: readonly string[] = ['v1', 'v2', 'v3', 'v4', 'v5'];
const PATHS = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/ab',
  '/api/v1',
  '/api/v1/x',
  '/A/B',
  '/items/12',
  '/items/x',
];
const PREFIXES = ['/', '/a', '/a/', '/api/', '/api/v1', '/A'];
/** With automata: at most four in a bundle. */
const EXPRESSIONS = ['/items/[0-9]+', '/a.*', '/a|/ab', '.*/x'];
const KINDS = ['gold', 'silver', 'go', ''];
const NAMES = ['x-kind', 'X-Tier'];
const SPACES = ['prod', 'team', 'web'];
const HOSTS = ['a.example', 'x.a.example', 'A.example:80', 'b'];
const METHODS = ['GET', 'POST', 'PUT', 'HEAD'];
const PORTS = [80, 8080];

type Text = NonNullable<VirtualMatch['uri']>;

function many<T>(random: Prng, most: number, make: () => T): readonly T[] {
  return Array.from({ length: 1 + random.below(most) }, make);
}

/** Each of some parts with its chance. */
function some<T extends object>(random: Prng, percent: number, make: () => T): Partial<T> {
  return random.chance(percent) ? make() : {};
}

function uri(random: Prng): Text {
  const kind = random.below(7);
  if (kind < 3) return { exact: random.pick(PATHS) };
  return kind < 6 ? { prefix: random.pick(PREFIXES) } : { regex: random.pick(EXPRESSIONS) };
}

function value(random: Prng): Text {
  const kind = random.below(5);
  if (kind === 0) return {};
  if (kind === 1) return { regex: random.pick(['.*', 'gold|silver', 'go.*']) };
  return kind < 4 ? { exact: random.pick(KINDS) } : { prefix: random.pick(['g', 'si', 'x']) };
}

function named(random: Prng, names: readonly string[]): Readonly<Record<string, Text>> {
  return Object.fromEntries(many(random, 2, () => [random.pick(names), value(random)]));
}

function virtualMatch(random: Prng): VirtualMatch {
  return {
    ...some(random, 75, () => ({ uri: uri(random) })),
    ...some(random, 12, () => ({ ignoreUriCase: true })),
    ...some(random, 15, () => ({ method: { exact: random.pick(METHODS) } })),
    ...some(random, 8, () => ({ authority: { exact: random.pick(HOSTS) } })),
    ...some(random, 25, () => ({ headers: named(random, NAMES) })),
    ...some(random, 15, () => ({ withoutHeaders: named(random, NAMES) })),
    ...some(random, 15, () => ({ queryParams: named(random, ['q', 'r']) })),
    ...some(random, 8, () => ({ port: random.pick(PORTS) })),
    ...some(random, 12, () => ({ sourceLabels: { app: random.pick(['web', 'job']) } })),
    ...some(random, 12, () => ({ sourceNamespace: random.pick(SPACES) })),
    ...some(random, 6, () => ({ gateways: [random.pick(['mesh', 'edge'])] })),
  };
}

function operations(random: Prng, names: readonly string[]): HeaderOperations {
  return {
    ...some(random, 60, () => ({ set: { [random.pick(names)]: 'set' } })),
    ...some(random, 40, () => ({ add: { [random.pick(names)]: 'added' } })),
    ...some(random, 40, () => ({ remove: [random.pick(names)] })),
  };
}

/** A rewrite that can be kept: both with a slash at their ends, or neither. */
function rewriteOf(
  random: Prng,
  match: readonly VirtualMatch[] | undefined,
): VirtualRule['rewrite'] {
  const [only] = match ?? [];
  const prefix = only?.uri?.prefix ?? (only?.uri === undefined ? '/' : null);
  const authority = some(random, 40, () => ({ authority: 'x.example' }));
  if (match !== undefined && (match.length > 1 || only?.ignoreUriCase === true)) return authority;
  if (prefix === null) return { uri: '/whole', ...authority };
  return { uri: prefix.endsWith('/') ? '/new/' : '/new', ...authority };
}

function forward(random: Prng, match: readonly VirtualMatch[] | undefined): VirtualRule {
  const ways = [...new Set(many(random, 3, () => random.pick(SUBSETS)))];
  const headers = some(random, 25, () => ({
    headers: { request: operations(random, ['x-kind', 'x-a']) },
  }));
  return {
    route: ways.map((subset) => ({
      destination: { host: 'reviews', subset },
      weight: 1 + random.below(50),
      ...some(random, 15, () => ({ headers: { request: operations(random, ['x-b']) } })),
    })),
    ...headers,
    ...some(random, 25, () => {
      const rewrite = rewriteOf(random, match);
      return rewrite === undefined ? {} : { rewrite };
    }),
  };
}

function action(random: Prng, match: readonly VirtualMatch[] | undefined): VirtualRule {
  switch (random.below(7)) {
    case 0:
      return {
        redirect: {
          ...some(random, 50, () => ({ uri: '/moved' })),
          authority: 'new.example',
          ...some(random, 50, () => ({ redirectCode: random.pick([301, 302, 307]) })),
        },
      };
    case 1:
      return { directResponse: { status: random.pick([200, 418, 503]) } };
    case 2: {
      const percentage = { value: random.pick([0, 100]) };
      return { ...forward(random, match), fault: { abort: { httpStatus: 429, percentage } } };
    }
    default:
      return forward(random, match);
  }
}

export function generateVirtualService(random: Prng): VirtualService {
  const http = many(random, 4, (): VirtualRule => {
    const match = random.chance(85) ? many(random, 2, () => virtualMatch(random)) : undefined;
    return { ...(match === undefined ? {} : { match }), ...action(random, match) };
  });
  return {
    namespace: 'prod',
    ...some(random, 15, () => ({ exportTo: [random.pick(['.', '*', 'team'])] })),
    http,
  };
}

/** A VirtualService of `svc-N` for each, and the DestinationRule of where they lead. */
export function virtualYaml(objects: readonly VirtualService[]): string {
  const subsets = SUBSETS.map((name) => ({ name, labels: { version: name } }));
  const rule = { host: 'reviews', subsets };
  const head = (kind: string, name: string): object => ({
    apiVersion: 'networking.istio.io/v1',
    kind,
    metadata: { name, namespace: 'prod' },
  });
  const routes = objects.map(({ http, exportTo }, i) => ({
    ...head('VirtualService', `svc-${i}`),
    spec: { hosts: [`svc-${i}`], http, ...(exportTo === undefined ? {} : { exportTo }) },
  }));
  return [{ ...head('DestinationRule', 'reviews'), spec: rule }, ...routes]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}

type Named = NonNullable<GatewayMatch['headers']>[number];

function gatewayNamed(random: Prng, names: readonly string[]): readonly Named[] {
  return many(random, 2, (): Named => {
    const isRegex = random.oneIn(6);
    const want = isRegex ? 'gold|silver' : random.pick(['gold', 'silver', 'go']);
    return {
      name: random.pick(names),
      value: want,
      ...(isRegex ? { type: 'RegularExpression' } : {}),
    };
  });
}

function gatewayMatch(random: Prng): GatewayMatch {
  const path = (): NonNullable<GatewayMatch['path']> => {
    const kind = random.below(7);
    if (kind < 3) return { type: 'Exact', value: random.pick(PATHS) };
    if (kind < 6) return { type: 'PathPrefix', value: random.pick(PREFIXES) };
    return { type: 'RegularExpression', value: random.pick(EXPRESSIONS) };
  };
  return {
    ...some(random, 75, () => ({ path: path() })),
    ...some(random, 30, () => ({ method: random.pick(METHODS) })),
    ...some(random, 30, () => ({ headers: gatewayNamed(random, [...NAMES, 'x-kind']) })),
    ...some(random, 25, () => ({ queryParams: gatewayNamed(random, ['q', 'r']) })),
  };
}

function gatewayRule(random: Prng): GatewayRule {
  const matches = random.chance(85) ? many(random, 3, () => gatewayMatch(random)) : undefined;
  const ways = [...new Set(many(random, 3, () => random.pick(SUBSETS)))];
  const [only] = matches ?? [];
  const isPrefix = matches?.length === 1 && only?.path?.type === 'PathPrefix';
  return {
    ...(matches === undefined ? {} : { matches }),
    backendRefs: ways.map((name) => ({ name, weight: random.below(4) })),
    ...(isPrefix && random.oneIn(3) ? { replacePrefix: random.pick(['/', '/new', '/new/']) } : {}),
  };
}

/** Routes of one service of `prod`. */
export function generateGatewayRoutes(random: Prng): readonly GatewayRoute[] {
  return many(random, 3, () => 0).map((_, i) => ({
    namespace: random.oneIn(4) ? 'team' : 'prod',
    name: `r${i}`,
    created: random.pick(['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']),
    port: random.oneIn(5) ? random.pick(PORTS) : null,
    hostnames: random.oneIn(2)
      ? []
      : [...new Set(many(random, 2, () => random.pick(['a.example', '*.example', '*.a.example'])))],
    rules: many(random, 3, () => gatewayRule(random)),
  }));
}

/** The routes of `svc-N` for each, whose names get its number. */
export function gatewayYaml(services: readonly (readonly GatewayRoute[])[]): string {
  return services
    .flatMap((routes, i) => routes.map((route) => ({ route, i })))
    .map(({ route: { namespace, name, created, port, hostnames, rules }, i }) => {
      const parent = { group: '', kind: 'Service', name: `svc-${i}`, namespace: 'prod' };
      const spec = {
        parentRefs: [port === null ? parent : { ...parent, port }],
        ...(hostnames.length === 0 ? {} : { hostnames }),
        rules: rules.map(({ matches, backendRefs, replacePrefix }) => ({
          ...(matches === undefined ? {} : { matches }),
          backendRefs: backendRefs.map((ref) => ({ ...ref, namespace: 'prod', port: 80 })),
          ...(replacePrefix === undefined ? {} : { filters: [rewriteFilter(replacePrefix)] }),
        })),
      };
      return JSON.stringify({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: `${name}-${i}`, namespace, creationTimestamp: created },
        spec,
      });
    })
    .join('\n---\n');
}

function rewriteFilter(replacePrefixMatch: string): object {
  const path = { type: 'ReplacePrefixMatch', replacePrefixMatch };
  return { type: 'URLRewrite', urlRewrite: { path } };
}

export function generateRouteRequest(random: Prng): RouteRequest {
  const names = NAMES.filter(() => random.oneIn(2)).map((name) => name.toLowerCase());
  const query = (): string =>
    many(random, 2, () => `${random.pick(['q', 'r', 'Q'])}=${random.pick(KINDS)}`).join('&');
  return {
    method: random.pick(METHODS),
    path: random.pick(PATHS),
    query: random.oneIn(2) ? query() : null,
    host: random.pick(HOSTS),
    headers: Object.fromEntries(names.map((name) => [name, random.pick(KINDS)])),
    port: random.pick(PORTS),
    random: random.u32(),
    client: { namespace: random.pick(SPACES), labels: { app: random.pick(['web', 'job', 'db']) } },
  };
}

function party(address: string, texts: readonly (readonly [string, string])[]): CaseParty {
  const parsed = parseAddress(address);
  if (parsed === null) throw new Error(`no address: ${address}`);
  return { address: parsed.bytes, family: parsed.family, texts: new Map(texts) };
}

/** The same as facts of an engine, about the policies with these numbers. */
export function routeFacts(request: RouteRequest, policies: readonly number[]): RequestFacts {
  const { client, query, path } = request;
  const labels = Object.entries(client.labels).map(([k, v]) => [`label:${k}`, v] as const);
  return {
    source: party('10.0.0.1', [['namespace', client.namespace], ...labels]),
    destination: party('10.96.0.1', []),
    port: request.port,
    protocol: 6,
    random: request.random,
    now: 0n,
    policies,
    method: request.method,
    target: query === null ? path : `${path}?${query}`,
    headers: [['host', request.host], ...Object.entries(request.headers)],
  };
}
