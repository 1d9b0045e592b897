/** HTTPRoute: the rules of routes whose parent is a Service (the mesh), and what of them can be kept. */
import { Fields, type Findings, type Text } from '../fields.js';
import type { KubeObject } from '../objects.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';
import type {
  Backend,
  HttpRoute,
  NamedValue,
  PathMatch,
  RouteMatch,
  RouteRule,
  ServiceParent,
} from './model.js';
import { readFilters } from './read-filters.js';

const MAX_RULES = 16;
const MAX_MATCHES = 64;
const MAX_ROUTE_MATCHES = 128;
const MAX_WEIGHT = 1_000_000;
const MAX_PATH = 1024;
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const ROOT: PathMatch = { kind: 'prefix', text: '/' };

function regular(type: Text | null, findings: Findings): boolean {
  if (type?.text !== 'RegularExpression') return false;
  const help = 'write it as Exact and PathPrefix';
  findings.error('W504', type.at, 'regular expressions differ between implementations', help);
  return true;
}

function pathFault(text: string): string | null {
  if (!text.startsWith('/')) return 'does not begin with a slash';
  if (text.length > MAX_PATH) return `has more than ${MAX_PATH} bytes`;
  if (/\/\/|\/\.\.?\/|%2f|#/i.test(text) || /\/\.\.?$/.test(text)) return 'is not normal';
  return PATH.test(text) ? null : 'has characters that no path has';
}

function readPath(match: Fields, findings: Findings): PathMatch {
  const path = match.map('path');
  const type = path?.text('type') ?? null;
  const value = path?.text('value') ?? null;
  path?.end();
  if (regular(type, findings) || path === null) return ROOT;
  const fault = value === null ? null : pathFault(value.text);
  if (value !== null && fault !== null) {
    findings.error('W503', value.at, `the path \`${value.text}\` ${fault}`);
  } else if (value !== null) checkViewTexts([value], findings);
  const text = value?.text ?? '/';
  if (type === null || type.text === 'PathPrefix') return { kind: 'prefix', text };
  if (type.text !== 'Exact') findings.error('W503', type.at, `\`${type.text}\` is no kind of path`);
  return { kind: 'exact', text };
}

/** Matchers by name; of equal names the first counts. */
function readNamed(list: readonly Tree[], noCase: boolean, findings: Findings): NamedValue[] {
  const seen = new Map<string, NamedValue>();
  for (const item of list) {
    const fields = Fields.of(item, findings, 'a matcher');
    const [name, value] = [fields?.text('name') ?? null, fields?.text('value') ?? null];
    const type = fields?.text('type') ?? null;
    fields?.end();
    if (regular(type, findings) || name === null || value === null) continue;
    if (!checkViewTexts([name, value], findings)) continue;
    const key = noCase ? name.text.toLowerCase() : name.text;
    if (!seen.has(key)) seen.set(key, { name: key, value: value.text });
  }
  return [...seen.values()];
}

function readMatch(tree: Tree, findings: Findings): RouteMatch | null {
  const match = Fields.of(tree, findings, 'a match');
  if (match === null) return null;
  const path = readPath(match, findings);
  const method = match.text('method');
  if (method !== null && !METHODS.includes(method.text)) {
    findings.error('W503', method.at, `\`${method.text}\` is no method`);
  }
  const headers = readNamed(match.list('headers') ?? [], true, findings);
  const query = readNamed(match.list('queryParams') ?? [], false, findings);
  match.end();
  return { path, method: method?.text ?? null, headers, query };
}

function readBackend(tree: Tree, namespace: string, findings: Findings): Backend | null {
  const ref = Fields.of(tree, findings, 'a backend');
  const name = ref?.text('name') ?? null;
  if (ref === null || name === null) return null;
  const [group, kind] = [ref.text('group')?.text ?? '', ref.text('kind')?.text ?? 'Service'];
  const space = ref.text('namespace')?.text ?? namespace;
  const weight = ref.number('weight');
  const filters = readFilters(ref.list('filters') ?? [], [], findings);
  ref.skip('port');
  ref.end();
  if (group !== '' || kind !== 'Service') {
    findings.error('W504', ref.at, `a backend of the kind \`${kind}\` cannot be kept`);
    return null;
  }
  const value = weight?.number ?? 1;
  if (weight !== null && (!Number.isInteger(value) || value < 0 || value > MAX_WEIGHT)) {
    findings.error('W503', weight.at, `the weight is not between 0 and ${MAX_WEIGHT}`);
  }
  if (filters.redirect !== null) findings.error('W504', ref.at, 'a redirect of one backend');
  return { service: `${name.text}.${space}`, weight: value, edits: filters.edits, at: ref.at };
}

function readRule(tree: Tree, namespace: string, findings: Findings): RouteRule | null {
  const rule = Fields.of(tree, findings, 'a rule');
  if (rule === null) return null;
  const list = rule.list('matches') ?? [];
  const over = list[MAX_MATCHES];
  if (over !== undefined) findings.error('W506', over.at, `more than ${MAX_MATCHES} matches`);
  const read = list.flatMap((match) => readMatch(match, findings) ?? []);
  const any: RouteMatch = { path: ROOT, method: null, headers: [], query: [] };
  const matches = read.length > 0 ? read : [any];
  const { edits, redirect } = readFilters(rule.list('filters') ?? [], matches, findings);
  const refs = rule.list('backendRefs') ?? [];
  const backends = refs.flatMap((ref) => readBackend(ref, namespace, findings) ?? []);
  if (redirect !== null && refs.length > 0) {
    findings.error('W503', rule.place('backendRefs'), 'backends stand beside a redirect');
  }
  for (const name of ['timeouts', 'retry', 'sessionPersistence'] as const) {
    if (rule.has(name)) findings.error('W504', rule.place(name), `\`${name}\` cannot be kept`);
  }
  rule.skip('name');
  rule.end();
  return { at: tree.at, matches, redirect, edits, backends };
}

function readParents(spec: Fields, namespace: string, findings: Findings): ServiceParent[] {
  return (spec.list('parentRefs') ?? []).flatMap((tree): ServiceParent[] => {
    const ref = Fields.of(tree, findings, 'a parent');
    const name = ref?.text('name') ?? null;
    if (ref === null || name === null) return [];
    const kind = ref.text('kind')?.text ?? 'Gateway';
    const space = ref.text('namespace')?.text ?? namespace;
    const port = ref.number('port')?.number ?? null;
    ref.skip('group');
    if (kind !== 'Service') {
      const help = 'name the Service that the route is for, as parent';
      findings.error(
        'W504',
        ref.at,
        `a parent of the kind \`${kind}\` is no part of the mesh`,
        help,
      );
      return [];
    }
    ref.end();
    return [{ service: `${name.text}.${space}`, port }];
  });
}

/** Reads one object; null where nothing of it can be used. */
export function readHttpRoute(object: KubeObject, findings: Findings): HttpRoute | null {
  const spec = object.root.map('spec');
  object.root.end();
  if (spec === null) return null;
  const { namespace, name, created, at } = object;
  const parents = readParents(spec, namespace, findings);
  const list = spec.list('rules') ?? [];
  const over = list[MAX_RULES];
  if (over !== undefined) findings.error('W506', over.at, `more than ${MAX_RULES} rules`);
  const rules = list.flatMap((rule) => readRule(rule, namespace, findings) ?? []);
  if (rules.reduce((sum, rule) => sum + rule.matches.length, 0) > MAX_ROUTE_MATCHES) {
    findings.error('W506', spec.place('rules'), `more than ${MAX_ROUTE_MATCHES} matches`);
  }
  if ((spec.texts('hostnames') ?? []).length > 0) {
    findings.error('W504', spec.place('hostnames'), 'host names of a route of the mesh');
  }
  spec.end();
  return { namespace, name, created, at, parents, rules };
}
