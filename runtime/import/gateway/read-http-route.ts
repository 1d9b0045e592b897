/** HTTPRoute: what a match asks of a request. Regular expressions of paths go last, as in Istio. */
import { Fields, type Findings } from '../fields.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';
import { pathFault } from './limits.js';
import type { PathMatch, RouteMatch } from './model.js';
import { type RouteForm, readNamed, regular } from './read-route.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const ROOT = { kind: 'prefix', text: '/' } as const;
/** Exact paths, then prefixes, then regular expressions. */
function kindRank({ kind }: PathMatch): number {
  return kind === 'exact' ? 0 : kind === 'regex' ? 2 : 1;
}

function readPath(match: Fields, findings: Findings): PathMatch {
  const path = match.map('path');
  const type = path?.text('type') ?? null;
  const value = path?.text('value') ?? null;
  path?.end();
  if (path === null) return ROOT;
  if (type?.text === 'RegularExpression') {
    const node = regular(value, findings);
    return node === null ? ROOT : { kind: 'regex', text: value?.text ?? '', node };
  }
  const fault = value === null ? null : pathFault(value.text);
  if (value !== null && fault !== null) {
    findings.error('W503', value.at, `the path \`${value.text}\` ${fault}`);
  } else if (value !== null) checkViewTexts([value], findings);
  const text = value?.text ?? '/';
  if (type === null || type.text === 'PathPrefix') return { kind: 'prefix', text };
  if (type.text !== 'Exact') findings.error('W503', type.at, `\`${type.text}\` is no kind of path`);
  return { kind: 'exact', text };
}

function readMatch(tree: Tree, findings: Findings): RouteMatch | null {
  const match = Fields.of(tree, findings, 'a match');
  if (match === null) return null;
  const path = readPath(match, findings);
  const method = match.text('method');
  if (method !== null && !METHODS.includes(method.text)) {
    findings.error('W503', method.at, `\`${method.text}\` is no method`);
  }
  const headers = readNamed(match.list('headers') ?? [], 'header', findings);
  const query = readNamed(match.list('queryParams') ?? [], 'query', findings);
  match.end();
  const rank = [
    kindRank(path),
    path.kind === 'prefix' ? -path.text.length : 0,
    method === null ? 1 : 0,
    -headers.length,
    -query.length,
  ];
  return { path, method: method?.text ?? null, headers, query, rank };
}

export const HTTP_ROUTE: RouteForm = {
  kind: 'HTTPRoute',
  filters: new Set([
    'RequestHeaderModifier',
    'ResponseHeaderModifier',
    'RequestMirror',
    'RequestRedirect',
    'URLRewrite',
    'CORS',
    'ExternalAuth',
    'ExtensionRef',
  ]),
  every: { path: ROOT, method: null, headers: [], query: [], rank: [1, -1, 1, 0, 0] },
  readMatch,
};
