/**
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, of traffic that comes in. An endpoint that one selects for ingress takes
 * only what a rule lets in; what a rule denies is refused whatever others say.
 */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { write } from '../condition.js';
import { Fields } from '../fields.js';
import type { ImportedPolicy, Rule, Scope } from '../istio/model.js';
import type { KubeObject } from '../objects.js';
import { PolicyText } from '../policy-text.js';
import type { Tree } from '../tree.js';
import { isSpecial, plainKey, readEndpoints, readPeers } from './peers.js';
import { field, type NetworkReading, warnOfNodes } from './reading.js';
import { readToPorts } from './to-ports.js';

function readScope(selector: Fields, reading: NetworkReading): Scope {
  const { namespace } = reading;
  const read = readEndpoints(selector, 'destination', reading);
  const labels = Object.entries(read.labels);
  if (read.plain && !labels.some(([key]) => isSpecial(key))) {
    const plain = labels.map(([key, value]) => [plainKey(key), value] as const);
    return { namespace, labels: Object.fromEntries(plain) };
  }
  const text = write(read.condition, new PolicyText([]));
  return { namespace, labels: {}, more: { text, condition: read.condition } };
}

function readRule(tree: Tree, id: string, reading: NetworkReading): Rule | null {
  const { findings } = reading;
  const rule = Fields.of(tree, findings, 'a rule');
  if (rule === null) return null;
  const peers = readPeers(rule, reading);
  const list = rule.list('toPorts') ?? [];
  const operations = list.map((item) => readToPorts(item, reading));
  const authentication = rule.map('authentication');
  const mode = authentication?.text('mode');
  if (authentication !== null && mode?.text !== 'disabled') {
    findings.error('W504', authentication.at, 'peers are known by their addresses alone');
  }
  rule.end();
  const nobody = peers === null ? list.length === 0 : peers.length === 0;
  if (nobody) {
    if (!reading.denies) findings.warning('W507', tree.at, 'the rule lets nobody in');
    return null;
  }
  const sources = (peers ?? []).map((condition) => [field(condition)]);
  return { id, at: tree.at, sources, operations, when: [] };
}

const EGRESS = ['egress', 'egressDeny'] as const;

function readSpec(
  spec: Fields,
  id: string,
  at: Position,
  reading: Omit<NetworkReading, 'denies'>,
): readonly ImportedPolicy[] {
  const { findings } = reading;
  for (const name of EGRESS) {
    if (!spec.has(name)) continue;
    const help = 'say at the destination who may come';
    findings.error('W504', spec.place(name), 'egress is not judged', help);
  }
  if (spec.has('nodeSelector')) {
    findings.error('W504', spec.place('nodeSelector'), 'nodes are no workloads');
  }
  const selector = spec.map('endpointSelector');
  if (selector === null) {
    findings.error('W503', spec.at, '`endpointSelector` is missing');
    return [];
  }
  const scope = readScope(selector, { ...reading, denies: false });
  const lists = [spec.list('ingress') ?? [], spec.list('ingressDeny') ?? []] as const;
  const wanted = spec.map('enableDefaultDeny');
  const selects = wanted?.boolean('ingress') ?? true;
  wanted?.skip('egress');
  wanted?.end();
  spec.skip('description', 'labels', 'log');
  spec.end();
  if (lists[0].length + lists[1].length === 0) return [];
  if (selects) warnOfNodes(at, findings);
  const rulesOf = (list: readonly Tree[], name: string, denies: boolean): readonly Rule[] =>
    list.flatMap((tree, i) => readRule(tree, `${id}-${name}[${i}]`, { ...reading, denies }) ?? []);
  const base = { at, scope, dryRun: false } as const;
  const allow = { ...base, id, action: 'allow', selects, rules: rulesOf(lists[0], 'rule', false) };
  const deny = { ...base, id, action: 'deny', rules: rulesOf(lists[1], 'deny', true) };
  return [
    ...(selects || allow.rules.length > 0 ? [allow as ImportedPolicy] : []),
    ...(deny.rules.length > 0 ? [deny as ImportedPolicy] : []),
  ];
}

/** Reads one object: `spec`, `specs`, or both. */
export function readCiliumPolicy(
  object: KubeObject,
  reading: Omit<NetworkReading, 'denies' | 'namespace'>,
): readonly ImportedPolicy[] {
  const { findings } = reading;
  const { root, kind, name, at } = object;
  const isWide = kind === 'CiliumClusterwideNetworkPolicy';
  const namespace = isWide ? null : object.namespace;
  const id = isWide ? `policy[${name}]` : `ns[${object.namespace}]-policy[${name}]`;
  const specs = [
    ...(root.has('spec') ? [root.tree('spec')] : []),
    ...(root.list('specs') ?? []),
  ].flatMap((tree) => (tree === null ? [] : (Fields.of(tree, findings, '`spec`') ?? [])));
  root.end();
  if (specs.length === 0) findings.error('W503', at, '`spec` is missing');
  return specs.flatMap((spec, i) =>
    readSpec(spec, specs.length === 1 ? id : `${id}-spec[${i}]`, at, { ...reading, namespace }),
  );
}
