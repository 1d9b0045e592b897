/** Rules of routes as choices, in the order that Gateway API gives them. */
import { all, any, type Condition, TRUE, test, testWith } from '../condition.js';
import type { Findings } from '../fields.js';
import { quote } from '../policy-text.js';
import { regexTest } from '../regex-match.js';
import { findCluster } from '../route/find-cluster.js';
import type { Arm, Choice, Edits, Services, Target } from '../route/model.js';
import { GRPC_STATUS } from './grpc.js';
import type { Backend, MeshRoute, NamedValue, PathMatch, RouteMatch, RouteRule } from './model.js';

interface Ranked {
  readonly route: MeshRoute;
  readonly rule: RouteRule;
  readonly match: RouteMatch;
  readonly port: number | null;
  /** Of the rule in its route, and of the match in the rule. */
  readonly place: readonly [number, number];
}

/** Smaller goes first: what Gateway API says of precedence, in its order. */
function precedence({ route, match, place }: Ranked): readonly (number | string)[] {
  return [
    ...match.rank,
    route.created === '' ? '~' : route.created,
    `${route.namespace}/${route.name}`,
    ...place,
  ];
}

function compare(a: Ranked, b: Ranked): number {
  const [x, y] = [precedence(a), precedence(b)];
  for (const [i, one] of x.entries()) {
    const other = y[i] ?? one;
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

function pathTest(path: PathMatch): Condition {
  if (path.kind === 'any') return TRUE;
  if (path.kind === 'start') return test(`request.path.startsWith(${quote(path.text)})`);
  if (path.kind === 'exact') return test(`request.path.is(${quote(path.text)})`);
  if (path.kind === 'regex') return regexTest('request.path', 'paths', path.text, path.node);
  if (path.kind === 'shape') {
    const call = `pattern(${quote(path.text)})`;
    return testWith((policy) => `${policy.declare('shape', call)}.matches(request.path)`);
  }
  const text = path.text.replace(/\/+$/, '');
  if (text === '') return TRUE;
  return any(
    test(`request.path.is(${quote(text)})`),
    test(`request.path.startsWith(${quote(`${text}/`)})`),
  );
}

function valueTest(what: 'header' | 'query', { name, value, node }: NamedValue): Condition {
  const expression = `request.${what}(${quote(name)})`;
  if (node === null) return test(`${expression}.is(${quote(value)})`);
  return regexTest(expression, `${what} ${name}`, value, node);
}

function matchTest({ path, method, headers, query }: RouteMatch): Condition {
  return all(
    pathTest(path),
    ...(method === null ? [] : [test(`request.method.is(${quote(method)})`)]),
    ...headers.map((one) => valueTest('header', one)),
    ...query.map((one) => valueTest('query', one)),
  );
}

/** The port of the service that a parent names. */
export function portTest(port: number | null): Condition {
  return port === null ? TRUE : test(`request.destination.port == ${port}`);
}

const EDIT = /^\.(setHeader|addHeader|removeHeader|host|path|replacePrefix)\((?:"([^"]*)")?/;

/** What an edit changes: of two edits of one kind and header only the first would hold. */
function keyOf(edit: string): string {
  const [, call = '', name = ''] = EDIT.exec(edit) ?? [];
  if (call === 'host') return 'host';
  return call.endsWith('Header') ? `${call} ${name.toLowerCase()}` : 'path';
}

function joinEdits(rule: Edits, { edits, at }: Backend, findings: Findings): Edits {
  const known = new Set(rule.map(keyOf));
  if (edits.some((edit) => known.has(keyOf(edit)))) {
    findings.error('W504', at, 'a filter of the rule and one of the backend change the same');
  }
  return [...rule, ...edits];
}

function targetOf(
  { kind }: MeshRoute,
  rule: RouteRule,
  services: Services,
  findings: Findings,
): Target {
  const { at, redirect, backends } = rule;
  if (redirect !== null) {
    const target = { kind: 'answer', name: 'moved', call: redirect } as const;
    return { arms: [{ target, weight: 1, at }], key: null };
  }
  const used = backends.filter(({ weight }) => weight > 0);
  if (used.length === 0 && kind === 'GRPCRoute') {
    const target = { kind: 'answer', name: 'unavailable', call: GRPC_STATUS.unavailable } as const;
    return { arms: [{ target, weight: 1, at }], key: null };
  }
  const arms = used.flatMap((backend): Arm[] => {
    const edits = joinEdits(rule.edits, backend, findings);
    const { service, port, weight } = backend;
    const wanted = { service, labels: null, port, edits, at: backend.at };
    const target = findCluster(wanted, services, findings);
    return target === null ? [] : [{ target, weight, at: backend.at }];
  });
  return { arms, key: null };
}

/** The choices of some routes for one service. */
export function choicesOf(
  routes: readonly MeshRoute[],
  service: string,
  services: Services,
  findings: Findings,
): readonly Choice[] {
  const ranked = routes.flatMap((route) => {
    const ports = route.parents.filter((p) => p.service === service).map(({ port }) => port);
    return ports.flatMap((port) =>
      route.rules.flatMap((rule, r) =>
        rule.matches.map((match, m): Ranked => ({ route, rule, match, port, place: [r, m] })),
      ),
    );
  });
  return ranked.sort(compare).map(({ route, rule, match, port, place }) => ({
    id: `${route.namespace}/${route.name} rule ${place[0]} match ${place[1]}`,
    at: rule.at,
    client: portTest(port),
    match: matchTest(match),
    target: targetOf(route, rule, services, findings),
  }));
}
