/** AuthorizationPolicy: everything that Istio's own validation says, and what of it can be kept. */
import { Fields, type Findings, type Text } from '../fields.js';
import type { KubeObject } from '../objects.js';
import type { Tree } from '../tree.js';
import type { Action, Field, ImportedPolicy, Rule } from './model.js';
import type { IstioOptions } from './options.js';
import {
  operationKinds,
  type Reading,
  readFieldLists,
  sourceKinds,
  whenKind,
} from './read-fields.js';
import { readScope } from './read-scope.js';

const MAX_RULES = 512;
const MAX_FROM = 512;
const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['ALLOW', 'allow'],
  ['DENY', 'deny'],
  ['AUDIT', 'audit'],
]);
/** Go's strconv.ParseBool. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text): [string, boolean] => [text, true]),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text): [string, boolean] => [text, false]),
]);

function readAction(spec: Fields, findings: Findings): Action | null {
  const action = spec.text('action');
  if (action === null) return 'allow';
  const known = ACTIONS.get(action.text);
  if (known !== undefined) return known;
  if (action.text === 'CUSTOM') {
    const help = 'ask the provider from the service, or by a waypoint';
    findings.error('W504', action.at, 'CUSTOM asks a provider, which the kernel cannot', help);
  } else findings.error('W503', action.at, `\`${action.text}\` is no action`);
  return null;
}

/** Account names say namespace and name at once. */
function checkAccounts(fields: Fields, findings: Findings): void {
  const has = (names: readonly string[]): boolean => names.some((name) => fields.has(name));
  if (!has(['serviceAccounts', 'notServiceAccounts'])) return;
  if (has(['principals', 'notPrincipals', 'namespaces', 'notNamespaces'])) {
    const message = 'service accounts stand beside principals or namespaces';
    findings.error('W503', fields.at, message);
  }
}

function readChoice(tree: Tree, part: 'source' | 'operation', reading: Reading): readonly Field[] {
  const { findings } = reading;
  const outer = Fields.of(
    tree,
    findings,
    part === 'source' ? 'an item of `from`' : 'an item of `to`',
  );
  const inner = outer?.map(part) ?? null;
  outer?.end();
  if (inner === null) {
    findings.error('W503', tree.at, `\`${part}\` is missing`);
    return [];
  }
  if (part === 'source') checkAccounts(inner, findings);
  const kinds = part === 'source' ? sourceKinds(reading) : operationKinds(reading);
  const read = readFieldLists(inner, kinds, findings);
  inner.end();
  if (read.length === 0) findings.error('W503', tree.at, `\`${part}\` has no field set`);
  return read;
}

function readChoices(
  rule: Fields,
  name: 'from' | 'to',
  reading: Reading,
): readonly (readonly Field[])[] {
  const list = rule.list(name);
  if (list === null) return [];
  const { findings } = reading;
  if (list.length === 0) findings.error('W503', rule.place(name), `\`${name}\` is empty`);
  const over = list[MAX_FROM];
  if (over !== undefined) findings.error('W506', over.at, `more than ${MAX_FROM} items`);
  return list.map((item) => readChoice(item, name === 'from' ? 'source' : 'operation', reading));
}

function readCondition(tree: Tree, reading: Reading): readonly Field[] {
  const { findings } = reading;
  const fields = Fields.of(tree, findings, 'an item of `when`');
  if (fields === null) return [];
  const key: Text | null = fields.text('key');
  const lists = [fields.texts('values') ?? [], fields.texts('notValues') ?? []] as const;
  fields.end();
  if (key === null || key.text === '') {
    findings.error('W503', tree.at, 'a condition needs a `key`');
    return [];
  }
  if (lists[0].length + lists[1].length === 0) {
    findings.error('W503', key.at, 'a condition needs `values` or `notValues`');
    return [];
  }
  const kind = whenKind(key, reading);
  if (kind === null) return [];
  return lists.flatMap((values, i): Field[] => {
    if (values.length === 0) return [];
    for (const { at, text } of values) {
      if (text === '') findings.error('W503', at, `\`${key.text}\` has an empty text`);
    }
    const condition = kind.read(values);
    return [{ http: kind.http, condition: i === 0 ? condition : { kind: 'not', of: condition } }];
  });
}

function readRule(tree: Tree, id: string, reading: Reading): Rule | null {
  const fields = Fields.of(tree, reading.findings, 'a rule');
  if (fields === null) return null;
  const rule = {
    id,
    at: tree.at,
    sources: readChoices(fields, 'from', reading),
    operations: readChoices(fields, 'to', reading),
    when: (fields.list('when') ?? []).flatMap((item) => readCondition(item, reading)),
  };
  fields.end();
  return rule;
}

/** True where the annotation says so; a value that is none leaves the policy enforced, as in Istio. */
function readDryRun(object: KubeObject, action: Action, findings: Findings): boolean {
  const text = object.annotations['istio.io/dry-run'];
  if (text === undefined) return false;
  const value = BOOLEANS.get(text);
  if (value === undefined) {
    const message = `\`istio.io/dry-run: ${text}\` is neither true nor false: the policy is enforced`;
    findings.warning('W507', object.at, message);
    return false;
  }
  if (value && action === 'audit') {
    findings.warning('W507', object.at, '`istio.io/dry-run` says nothing about AUDIT');
    return false;
  }
  return value;
}

/** A DENY rule whose HTTP fields leave nothing of it on a TCP port. */
function warnOfTcp(rules: readonly Rule[], findings: Findings): void {
  for (const { at, sources, operations } of rules) {
    const onlyHttp = (choices: readonly (readonly Field[])[]): boolean =>
      choices.some((fields) => fields.length > 0 && fields.every((field) => field.http));
    if (onlyHttp(operations) || (operations.length === 0 && onlyHttp(sources))) {
      const message = 'the rule denies all traffic of ports that are not HTTP';
      findings.warning('W507', at, message, 'a TCP connection to such a port, from anybody');
    }
  }
}

/** Reads one object; null where nothing of it can be used. */
export function readAuthorizationPolicy(
  object: KubeObject,
  options: IstioOptions,
  findings: Findings,
): ImportedPolicy | null {
  const spec = object.root.map('spec');
  object.root.end();
  const id = `ns[${object.namespace}]-policy[${object.name}]`;
  const reading = { findings, options, namespace: object.namespace };
  const action = spec === null ? 'allow' : readAction(spec, findings);
  const scope = readScope(spec, object.namespace, options, findings);
  if (spec?.has('provider') === true && action !== null) {
    findings.error('W503', spec.place('provider'), 'a provider stands only with CUSTOM');
  }
  const list = spec?.list('rules') ?? [];
  spec?.skip('action', 'provider');
  spec?.end();
  if (action === null || scope === null) return null;
  if (list.length === 0 && action === 'deny') {
    findings.error('W503', spec?.at ?? object.at, 'a DENY policy needs rules');
  }
  const over = list[MAX_RULES];
  if (over !== undefined) findings.error('W506', over.at, `more than ${MAX_RULES} rules`);
  const rules = list.flatMap((tree, i) => readRule(tree, `${id}-rule[${i}]`, reading) ?? []);
  if (action === 'deny') warnOfTcp(rules, findings);
  const dryRun = readDryRun(object, action, findings);
  return { id, at: object.at, scope, action, dryRun, rules };
}
