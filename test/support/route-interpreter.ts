/**
 * What VirtualServices and HTTPRoutes of the mesh say about one request to a service: their semantics written down a second time,
 * straight from their description, on plain objects as YAML gives them. It shares nothing with the importer. Objects are taken to
 * be valid; a destination is told by its host and subset.
 */
export interface RouteRequest {
  readonly method: string;
  /** Normalised, without query. */
  readonly path: string;
  readonly query: string | null;
  readonly host: string;
  /** Lower-case names, each once. */
  readonly headers: Readonly<Record<string, string>>;
  readonly port: number;
  readonly random: number;
  readonly client: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
}

/** `none`, `reply:404`, `redirect:302 http://h/p`, or where it goes and what is sent. */
export type RouteAnswer = string;

export interface Sent {
  readonly to: string;
  readonly path: string;
  readonly host: string;
  /** `name: value`, sorted. */
  readonly headers: readonly string[];
}

export function sentText({ to, path, host, headers }: Sent): RouteAnswer {
  return [to, path, host, ...headers].join(' | ');
}

interface StringMatch {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}
type Matches = Readonly<Record<string, StringMatch>>;

export interface VirtualMatch {
  readonly uri?: StringMatch;
  readonly ignoreUriCase?: boolean;
  readonly method?: StringMatch;
  readonly authority?: StringMatch;
  readonly headers?: Matches;
  readonly withoutHeaders?: Matches;
  readonly queryParams?: Matches;
  readonly port?: number;
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly sourceNamespace?: string;
  readonly gateways?: readonly string[];
}
export interface HeaderOperations {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}
export interface VirtualRule {
  readonly match?: readonly VirtualMatch[];
  readonly route?: readonly {
    readonly destination: { readonly host: string; readonly subset: string };
    readonly weight?: number;
    readonly headers?: { readonly request: HeaderOperations };
  }[];
  readonly headers?: { readonly request: HeaderOperations };
  readonly rewrite?: { readonly uri?: string; readonly authority?: string };
  readonly redirect?: {
    readonly uri?: string;
    readonly authority?: string;
    readonly redirectCode?: number;
  };
  readonly directResponse?: { readonly status: number };
  readonly fault?: {
    readonly abort: {
      readonly httpStatus: number;
      readonly percentage: { readonly value: number };
    };
  };
}
export interface VirtualService {
  readonly namespace: string;
  readonly exportTo?: readonly string[];
  readonly http: readonly VirtualRule[];
}

function text(match: StringMatch, value: string, noCase = false): boolean {
  const [a, fold] = [
    noCase ? value.toLowerCase() : value,
    (t: string) => (noCase ? t.toLowerCase() : t),
  ];
  if (match.exact !== undefined) return a === fold(match.exact);
  if (match.prefix !== undefined) return a.startsWith(fold(match.prefix));
  return match.regex === undefined || new RegExp(`^(?:${match.regex})$`).test(value);
}

const isPresence = (match: StringMatch): boolean => Object.keys(match).length === 0;

/** First values by name, as they are sent. */
function parameters(query: string | null): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const part of query === null ? [] : query.split('&')) {
    const at = part.indexOf('=');
    const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    if (!out.has(name)) out.set(name, value);
  }
  return out;
}

function isFor(match: VirtualMatch | undefined, { port, client }: RouteRequest): boolean {
  if (match === undefined) return true;
  if (match.port !== undefined && match.port !== port) return false;
  if (match.gateways !== undefined && match.gateways.length > 0)
    return match.gateways.includes('mesh');
  const labels = Object.entries(match.sourceLabels ?? {});
  if (!labels.every(([key, value]) => client.labels[key] === value)) return false;
  return match.sourceNamespace === undefined || match.sourceNamespace === client.namespace;
}

function holds(match: VirtualMatch | undefined, request: RouteRequest): boolean {
  if (match === undefined) return true;
  const query = parameters(request.query);
  const header = ([name, m]: [string, StringMatch]): boolean => {
    const value = request.headers[name.toLowerCase()];
    return value !== undefined && text(m, value);
  };
  const without = ([name, m]: [string, StringMatch]): boolean => {
    const value = request.headers[name.toLowerCase()];
    return isPresence(m) ? value === undefined : !text(m, value ?? '');
  };
  const { uri, ignoreUriCase, method, authority } = match;
  return (
    (uri === undefined ||
      text(uri, request.path, ignoreUriCase === true && uri.regex === undefined)) &&
    (method === undefined || text(method, request.method)) &&
    (authority === undefined || text(authority, request.host)) &&
    Object.entries(match.headers ?? {}).every(header) &&
    Object.entries(match.withoutHeaders ?? {}).every(without) &&
    Object.entries(match.queryParams ?? {}).every(([name, m]) => {
      const value = query.get(name);
      return value !== undefined && text(m, value);
    })
  );
}

type Lines = readonly (readonly [string, string])[];

function operate(lines: Lines, operations: HeaderOperations | undefined): Lines {
  const { remove = [], set = {}, add = {} } = operations ?? {};
  let out = lines.filter(([name]) => !remove.some((one) => one.toLowerCase() === name));
  for (const [key, value] of Object.entries(set)) {
    const name = key.toLowerCase();
    if (name !== 'host') out = [...out.filter(([other]) => other !== name), [name, value]];
  }
  for (const [key, value] of Object.entries(add)) out = [...out, [key.toLowerCase(), value]];
  return out;
}

function hostOf(operations: HeaderOperations | undefined): string | undefined {
  const found = Object.entries(operations?.set ?? {}).find(([key]) => key.toLowerCase() === 'host');
  return found?.[1];
}

/** Null where Weft says that it keeps less: a prefix that ends within an element. */
function rewritten(
  uri: string | undefined,
  match: VirtualMatch | undefined,
  path: string,
): string | null {
  if (uri === undefined) return path;
  if (match?.uri?.exact !== undefined || match?.uri?.regex !== undefined) return uri;
  const prefix = match?.uri?.prefix ?? '/';
  const rest = path.slice(prefix.length);
  return !prefix.endsWith('/') && rest !== '' && !rest.startsWith('/') ? null : uri + rest;
}

function pick<T extends { readonly weight?: number | undefined }>(
  list: readonly T[],
  random: number,
): T | null {
  if (list.length === 1) return list[0] ?? null;
  const sum = list.reduce((total, { weight = 0 }) => total + weight, 0);
  let left = sum === 0 ? 0 : random % sum;
  for (const one of list) {
    if (left < (one.weight ?? 0)) return one;
    left -= one.weight ?? 0;
  }
  return null;
}

function urlOf(host: string, path: string, query: string | null): string {
  return `http://${host}${path}${query === null ? '' : `?${query}`}`;
}

function act(
  rule: VirtualRule,
  match: VirtualMatch | undefined,
  request: RouteRequest,
): RouteAnswer {
  const { redirect, directResponse, fault } = rule;
  if ((fault?.abort.percentage.value ?? 0) === 100) return `reply:${fault?.abort.httpStatus}`;
  if (directResponse !== undefined) return `reply:${directResponse.status}`;
  if (redirect !== undefined) {
    const host = redirect.authority ?? request.host;
    const url = urlOf(host, redirect.uri ?? request.path, request.query);
    return `redirect:${redirect.redirectCode ?? 301} ${url}`;
  }
  const path = rewritten(rule.rewrite?.uri, match, request.path);
  if (path === null) return 'reply:404';
  const way = pick(rule.route ?? [], request.random);
  if (way === null) return 'reply:500';
  const own = operate(Object.entries(request.headers), rule.headers?.request);
  const lines = operate(own, way.headers?.request);
  const host =
    rule.rewrite?.authority ??
    hostOf(rule.headers?.request) ??
    hostOf(way.headers?.request) ??
    request.host;
  const { host: service, subset } = way.destination;
  const headers = lines.map(([name, value]) => `${name}: ${value}`).sort();
  return sentText({ to: `${service}/${subset}`, path, host, headers });
}

/** What the VirtualService of a service says. */
export function interpretVirtualService(
  object: VirtualService,
  request: RouteRequest,
): RouteAnswer {
  const { exportTo = ['*'], namespace, http } = object;
  const spaces = exportTo.map((one) => (one === '.' ? namespace : one));
  if (!spaces.includes('*') && !spaces.includes(request.client.namespace)) return 'none';
  const routes = http.flatMap((rule) =>
    (rule.match ?? [undefined]).filter((m) => isFor(m, request)).map((match) => ({ rule, match })),
  );
  if (routes.length === 0) return 'none';
  const found = routes.find(({ match }) => holds(match, request));
  return found === undefined ? 'reply:404' : act(found.rule, found.match, request);
}

interface NamedMatch {
  readonly name: string;
  readonly value: string;
  readonly type?: 'Exact' | 'RegularExpression';
}
export interface GatewayMatch {
  readonly path?: {
    readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
    readonly value: string;
  };
  readonly method?: string;
  readonly headers?: readonly NamedMatch[];
  readonly queryParams?: readonly NamedMatch[];
}
export interface GatewayRule {
  readonly matches?: readonly GatewayMatch[];
  readonly backendRefs: readonly { readonly name: string; readonly weight: number }[];
  /** URLRewrite by ReplacePrefixMatch. */
  readonly replacePrefix?: string;
}
export interface GatewayRoute {
  readonly namespace: string;
  readonly name: string;
  readonly created: string;
  readonly port: number | null;
  readonly hostnames: readonly string[];
  readonly rules: readonly GatewayRule[];
}

const ROOT = { type: 'PathPrefix', value: '/' } as const;

function gatewayHolds(match: GatewayMatch, request: RouteRequest): boolean {
  const { type, value } = match.path ?? ROOT;
  const bare = value.replace(/\/+$/, '');
  const onPath =
    type === 'Exact'
      ? request.path === value
      : type === 'RegularExpression'
        ? new RegExp(`^(?:${value})$`).test(request.path)
        : request.path === bare || request.path.startsWith(`${bare}/`);
  const first = (list: readonly NamedMatch[] | undefined, noCase: boolean): readonly NamedMatch[] =>
    (list ?? []).filter(
      (one, i, all) =>
        all.findIndex((o) =>
          noCase ? o.name.toLowerCase() === one.name.toLowerCase() : o.name === one.name,
        ) === i,
    );
  const fits = ({ type: kind, value: want }: NamedMatch, have: string | undefined): boolean =>
    have !== undefined &&
    (kind === 'RegularExpression' ? new RegExp(`^(?:${want})$`).test(have) : have === want);
  const query = parameters(request.query);
  return (
    onPath &&
    (match.method === undefined || match.method === request.method) &&
    first(match.headers, true).every((one) => fits(one, request.headers[one.name.toLowerCase()])) &&
    first(match.queryParams, false).every((one) => fits(one, query.get(one.name)))
  );
}

/** Characters of the name of a host that fits: whole names before those with a star; null: none. */
function hostRank(name: string, host: string): readonly [number, number] | null {
  const asked = host.toLowerCase().replace(/:\d+$/, '');
  if (!name.startsWith('*.')) return name === asked ? [name.length, name.length] : null;
  return asked.endsWith(name.slice(1)) && asked.length > name.length - 1 ? [0, name.length] : null;
}

function countOf(list: readonly NamedMatch[] | undefined, noCase: boolean): number {
  return new Set((list ?? []).map(({ name }) => (noCase ? name.toLowerCase() : name))).size;
}

/** What the routes of a service say; `own` is the namespace of the service. */
export function interpretGatewayRoutes(
  routes: readonly GatewayRoute[],
  own: string,
  request: RouteRequest,
): RouteAnswer {
  const here = (space: string): readonly GatewayRoute[] =>
    routes.filter(
      ({ namespace, port }) => namespace === space && (port === null || port === request.port),
    );
  const theirs = request.client.namespace === own ? [] : here(request.client.namespace);
  const heard = theirs.length > 0 ? theirs : here(own);
  if (heard.length === 0) return 'none';
  const ranked = heard.flatMap((route) => {
    if (route.hostnames.length === 0) return [{ route, rank: [-1, -1] as const }];
    return route.hostnames.flatMap((name) => {
      const rank = hostRank(name, request.host);
      return rank === null ? [] : [{ route, rank }];
    });
  });
  const best = ranked.reduce<readonly [number, number]>(
    (a, { rank: b }) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a),
    [-2, -2],
  );
  const winners = new Set(
    ranked.filter(({ rank }) => rank.join() === best.join()).map((r) => r.route),
  );
  const KIND = { Exact: 0, PathPrefix: 1, RegularExpression: 2 } as const;
  const found = [...winners]
    .flatMap((route) =>
      route.rules.flatMap((rule, r) =>
        (rule.matches ?? [{}]).map((match, m) => ({ route, rule, match, r, m })),
      ),
    )
    .filter(({ match }) => gatewayHolds(match, request))
    .map((one) => {
      const { type, value } = one.match.path ?? ROOT;
      const key: readonly (number | string)[] = [
        KIND[type],
        type === 'PathPrefix' ? 10_000 - value.length : 0,
        one.match.method === undefined ? 1 : 0,
        100 - countOf(one.match.headers, true),
        100 - countOf(one.match.queryParams, false),
        one.route.created,
        `${one.route.namespace}/${one.route.name}`,
        one.r,
        one.m,
      ];
      return { ...one, key };
    })
    .sort((a, b) => {
      const i = a.key.findIndex((part, at) => part !== b.key[at]);
      return i < 0 ? 0 : (a.key[i] ?? 0) < (b.key[i] ?? 0) ? -1 : 1;
    })[0];
  if (found === undefined) return 'reply:404';
  const used = found.rule.backendRefs.filter(({ weight }) => weight > 0);
  const way = pick(used, request.random);
  if (way === null) return 'reply:500';
  const { value } = found.match.path ?? ROOT;
  const replacement = found.rule.replacePrefix;
  const [from, to] = [value.replace(/\/+$/, ''), replacement?.replace(/\/+$/, '')];
  const path = to === undefined ? request.path : to + request.path.slice(from.length) || '/';
  const headers = Object.entries(request.headers).map(([name, v]) => `${name}: ${v}`);
  return sentText({ to: way.name, path, host: request.host, headers: headers.sort() });
}
