/**
 * GRPCRoute: a match by service and method is one by the path `/SERVICE/METHOD`. Of equal precedence Gateway API says
 * nothing where one is a regular expression: these go last, as those of HTTPRoute do.
 */
import { Fields, type Findings, type Text } from '../fields.js';
import type { Tree } from '../tree.js';
import type { PathMatch, RouteMatch } from './model.js';
import { type RouteForm, readNamed, regular } from './read-route.js';

const SERVICE = /^\.?[a-z_]\w*(?:\.[a-z_]\w*)*$/i;
const METHOD = /^[a-z_]\w*$/i;
const MAX_NAME = 1024;

function checkName(name: Text | null, form: RegExp, what: string, findings: Findings): void {
  if (name === null || (form.test(name.text) && name.text.length <= MAX_NAME)) return;
  findings.error('W503', name.at, `\`${name.text}\` is no name of a ${what}`);
}

function readExact(service: Text | null, method: Text | null, findings: Findings): PathMatch {
  checkName(service, SERVICE, 'service', findings);
  checkName(method, METHOD, 'method', findings);
  if (method === null) return { kind: 'start', text: `/${service?.text ?? ''}/` };
  return service === null
    ? { kind: 'shape', text: `/*/${method.text}` }
    : { kind: 'exact', text: `/${service.text}/${method.text}` };
}

function readPattern(service: Text | null, method: Text | null, findings: Findings): PathMatch {
  const part = (told: Text | null, other: string): string =>
    told === null ? other : `(?:${told.text})`;
  const text = `/${part(service, '[^/]+')}/${part(method, '.+')}`;
  // Each by itself first: together they may be what neither of them is.
  for (const told of [service, method]) regular(told, findings);
  const at = service?.at ?? method?.at;
  const node = at === undefined ? null : regular({ at, text }, findings);
  return node === null ? { kind: 'any' } : { kind: 'regex', text, node };
}

function readMatch(tree: Tree, findings: Findings): RouteMatch | null {
  const match = Fields.of(tree, findings, 'a match');
  if (match === null) return null;
  const asked = match.map('method');
  const [type, service, method] = [
    asked?.text('type') ?? null,
    asked?.text('service') ?? null,
    asked?.text('method') ?? null,
  ];
  asked?.end();
  const headers = readNamed(match.list('headers') ?? [], 'header', findings);
  match.end();
  if (asked !== null && service === null && method === null) {
    findings.error('W503', asked.at, 'a match by method names a service, a method or both');
  }
  const isPattern = type?.text === 'RegularExpression';
  if (type !== null && !isPattern && type.text !== 'Exact') {
    findings.error('W503', type.at, `\`${type.text}\` is no kind of match`);
  }
  const read = isPattern ? readPattern : readExact;
  const path: PathMatch =
    service === null && method === null ? { kind: 'any' } : read(service, method, findings);
  const lengths = [service, method].map((name) => -(name?.text.length ?? 0));
  return {
    path,
    method: null,
    headers,
    query: [],
    rank: [isPattern ? 1 : 0, ...lengths, -headers.length],
  };
}

export const GRPC_ROUTE: RouteForm = {
  kind: 'GRPCRoute',
  filters: new Set([
    'RequestHeaderModifier',
    'ResponseHeaderModifier',
    'RequestMirror',
    'ExtensionRef',
  ]),
  every: { path: { kind: 'any' }, method: null, headers: [], query: [], rank: [0, 0, 0, 0] },
  readMatch,
};
