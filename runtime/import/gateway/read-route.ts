/** Routes whose parent is a Service (the mesh): what HTTPRoute and GRPCRoute have in common, and what of it can be kept. */
import type { RegexNode } from '../../../compiler/abi/index.js';
import { Fields, type Findings, type Text } from '../fields.js';
import type { KubeObject } from '../objects.js';
import { readRegex } from '../regex-match.js';
import { checkViewTexts } from '../text-match.js';
import type { Tree } from '../tree.js';
import {
  checkCount,
  checkMatchers,
  checkRuleNames,
  checkValue,
  MAX_BACKENDS,
  MAX_MATCHES,
  MAX_ROUTE_MATCHES,
  MAX_RULES,
  MAX_WEIGHT,
  readHostnames,
  readRetry,
  readTimeouts,
} from './limits.js';
import type {
  Backend,
  MeshRoute,
  NamedValue,
  RouteMatch,
  RouteRule,
  ServiceParent,
} from './model.js';
import { readFilters } from './read-filters.js';

/** What a kind of route has of its own. */
export interface RouteForm {
  readonly kind: MeshRoute['kind'];
  /** Types of filters that Gateway API gives it. */
  readonly filters: ReadonlySet<string>;
  /** What a rule without matches is for. */
  readonly every: RouteMatch;
  readonly readMatch: (tree: Tree, findings: Findings) => RouteMatch | null;
}

/** The tree of a regular expression; null, and a finding, where it cannot be kept. */
export function regular(value: Text | null, findings: Findings): RegexNode | null {
  return value === null ? null : readRegex(value, findings);
}

/** Matchers by name; of equal names the first counts. */
export function readNamed(
  list: readonly Tree[],
  of: 'header' | 'query',
  findings: Findings,
): readonly NamedValue[] {
  checkMatchers(list, findings);
  const seen = new Map<string, NamedValue>();
  for (const item of list) {
    const fields = Fields.of(item, findings, 'a matcher');
    const [name, value] = [fields?.text('name') ?? null, fields?.text('value') ?? null];
    const type = fields?.text('type') ?? null;
    fields?.end();
    if (name === null || value === null || !checkViewTexts([name], findings)) continue;
    checkValue(value, of, findings);
    const isRegex = type?.text === 'RegularExpression';
    const node = isRegex ? regular(value, findings) : null;
    if (!isRegex && !checkViewTexts([value], findings)) continue;
    if (type !== null && !isRegex && type.text !== 'Exact') {
      findings.error('W503', type.at, `\`${type.text}\` is no kind of match`);
    }
    const key = of === 'header' ? name.text.toLowerCase() : name.text;
    if (!seen.has(key)) seen.set(key, { name: key, value: value.text, node });
  }
  return [...seen.values()];
}

function readBackend(
  tree: Tree,
  namespace: string,
  { filters: known }: RouteForm,
  findings: Findings,
): Backend | null {
  const ref = Fields.of(tree, findings, 'a backend');
  const name = ref?.text('name') ?? null;
  if (ref === null || name === null) return null;
  const [group, kind] = [ref.text('group')?.text ?? '', ref.text('kind')?.text ?? 'Service'];
  const space = ref.text('namespace')?.text ?? namespace;
  const weight = ref.number('weight');
  const filters = readFilters(ref.list('filters') ?? [], [], known, findings);
  const port = ref.number('port')?.number ?? null;
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
  return {
    service: `${name.text}.${space}`,
    port,
    weight: value,
    edits: filters.edits,
    at: ref.at,
  };
}

function readRule(
  tree: Tree,
  namespace: string,
  form: RouteForm,
  findings: Findings,
): RouteRule | null {
  const rule = Fields.of(tree, findings, 'a rule');
  if (rule === null) return null;
  const list = rule.list('matches') ?? [];
  checkCount(list, MAX_MATCHES, 'matches', findings);
  const read = list.flatMap((match) => form.readMatch(match, findings) ?? []);
  const matches = read.length > 0 ? read : [form.every];
  const { edits, redirect } = readFilters(
    rule.list('filters') ?? [],
    matches,
    form.filters,
    findings,
  );
  const refs = rule.list('backendRefs') ?? [];
  checkCount(refs, MAX_BACKENDS, 'backends', findings);
  const backends = refs.flatMap((ref) => readBackend(ref, namespace, form, findings) ?? []);
  if (redirect !== null && refs.length > 0) {
    findings.error('W503', rule.place('backendRefs'), 'backends stand beside a redirect');
  }
  if (form.kind === 'HTTPRoute') {
    readTimeouts(rule.map('timeouts'), findings);
    readRetry(rule.map('retry'), findings);
  }
  if (rule.has('sessionPersistence')) {
    const at = rule.place('sessionPersistence');
    findings.error(
      'W504',
      at,
      '`sessionPersistence` gives clients a cookie',
      'set it in the service',
    );
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
export function readRoute(
  object: KubeObject,
  form: RouteForm,
  findings: Findings,
): MeshRoute | null {
  const spec = object.root.map('spec');
  object.root.end();
  if (spec === null) return null;
  const { namespace, name, created, at } = object;
  const parents = readParents(spec, namespace, findings);
  const list = spec.list('rules') ?? [];
  checkCount(list, MAX_RULES, 'rules', findings);
  checkRuleNames(list, findings);
  const rules = list.flatMap((rule) => readRule(rule, namespace, form, findings) ?? []);
  if (rules.reduce((sum, rule) => sum + rule.matches.length, 0) > MAX_ROUTE_MATCHES) {
    findings.error('W506', spec.place('rules'), `more than ${MAX_ROUTE_MATCHES} matches`);
  }
  const hosts = readHostnames(spec.texts('hostnames') ?? [], findings);
  spec.end();
  return { kind: form.kind, namespace, name, created, at, parents, hosts, rules };
}
