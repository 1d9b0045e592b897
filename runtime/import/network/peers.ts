/**
 * Who may come, in a rule of a CiliumNetworkPolicy: endpoints by labels, address blocks, entities. Blocks mean what is outside of
 * the cluster: neither a workload nor a node, whose addresses an import has to be told.
 */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { readBlock } from '../block.js';
import { all, any, type Condition, FALSE, not, TRUE, test, testWith } from '../condition.js';
import { Fields, type Text } from '../fields.js';
import { quote } from '../policy-text.js';
import type { Tree } from '../tree.js';
import type { NetworkReading } from './reading.js';
import { readSelector, type Selector } from './selector.js';

const NAMESPACE = 'io.kubernetes.pod.namespace';
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.';
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  [NAMESPACE, 'namespace'],
  [`${NAMESPACE_LABELS}kubernetes.io/metadata.name`, 'namespace'],
  ['io.cilium.k8s.policy.serviceaccount', 'serviceAccount'],
]);
const WORKLOAD = test('source.namespace.exists');

/** A key without its source: `k8s:app` is `app`. */
export function plainKey(key: string): string {
  return key.replace(/^(?:k8s|any):/, '');
}

/** Reads a selector of endpoints on one side. */
export function readEndpoints(
  selector: Fields,
  side: 'source' | 'destination',
  { findings }: NetworkReading,
): Selector {
  const expressionOf = ({ at, text }: Text): string | null => {
    const key = plainKey(text);
    const known = ATTRIBUTES.get(key);
    if (known !== undefined) return `${side}.${known}`;
    if (/^[a-z-]+:/.test(key) || key.startsWith('io.cilium.')) {
      const help = 'select by labels of pods, by namespace or service account';
      findings.error('W504', at, `\`${text}\` is not known of a workload`, help);
    }
    return `${side}.label(${quote(key)})`;
  };
  return readSelector(selector, expressionOf, findings);
}

export function isSpecial(key: string): boolean {
  return ATTRIBUTES.has(plainKey(key));
}

function endpoint(tree: Tree, reading: NetworkReading): Condition {
  const { findings, namespace } = reading;
  const selector = Fields.of(tree, findings, 'a selector');
  if (selector === null) return FALSE;
  const { condition, keys, plain } = readEndpoints(selector, 'source', reading);
  const named = [...keys].map(plainKey);
  const hasNamespace = named.some((key) => key === NAMESPACE || key.startsWith(NAMESPACE_LABELS));
  if (namespace !== null && !hasNamespace) {
    return all(test(`source.namespace.is(${quote(namespace)})`), condition);
  }
  if (namespace === null && !plain && reading.denies) {
    const help = 'write it as labels';
    findings.error('W504', tree.at, 'expressions may hold of what is no workload', help);
  }
  return all(WORKLOAD, condition);
}

function addressOfNode({ options, findings }: NetworkReading, at: Position): Condition {
  if (options.nodes.length === 0) {
    const help = 'say the blocks of their addresses: `--nodes BLOCK`';
    findings.error('W504', at, 'which addresses are those of nodes is not known', help);
  }
  return testWith((p) => `source.address.in(${p.cidrs('nodes', options.nodes)})`);
}

/** An address that is a workload's is no node's. */
function inNodes(reading: NetworkReading, at: Position): Condition {
  return all(not(WORKLOAD), addressOfNode(reading, at));
}

function outside(reading: NetworkReading, at: Position): Condition {
  return all(not(WORKLOAD), not(addressOfNode(reading, at)));
}

function block(whole: Text | null, except: readonly Text[], reading: NetworkReading): Condition {
  const { findings } = reading;
  const read = whole === null ? null : readBlock(whole, findings);
  const holes = except.flatMap((value) => readBlock(value, findings) ?? []);
  if (whole === null || read === null) return FALSE;
  const inside = testWith((p) => `source.address.in(${p.cidrs('cidr', [read])})`);
  const hole = testWith((p) => `source.address.in(${p.cidrs('except', holes)})`);
  return all(outside(reading, whole.at), inside, holes.length === 0 ? TRUE : not(hole));
}

function blockSet(tree: Tree, reading: NetworkReading): Condition {
  const fields = Fields.of(tree, reading.findings, 'a set of addresses');
  if (fields === null) return FALSE;
  const condition = block(fields.text('cidr'), fields.texts('except') ?? [], reading);
  for (const name of ['cidrGroupRef', 'cidrGroupSelector'] as const) {
    if (!fields.has(name)) continue;
    const help = 'write the blocks out';
    reading.findings.error('W504', fields.place(name), 'a group of blocks is not read', help);
  }
  fields.end();
  return condition;
}

function narrower(at: Position, what: string, example: string, reading: NetworkReading): void {
  if (reading.denies) reading.findings.error('W504', at, what);
  else reading.findings.warning('W505', at, what, example);
}

function entity(one: Text, all_: readonly Text[], reading: NetworkReading): Condition {
  const { at, text } = one;
  switch (text) {
    case 'all':
      return TRUE;
    case 'world':
      return outside(reading, at);
    case 'world-ipv4':
      return all(outside(reading, at), test('source.address.isIPv4'));
    case 'world-ipv6':
      return all(outside(reading, at), test('source.address.isIPv6'));
    case 'cluster':
      narrower(
        at,
        '`cluster` is workloads of the world and nodes',
        'a pod that is not in the world',
        reading,
      );
      return any(WORKLOAD, inNodes(reading, at));
    case 'host':
    case 'remote-node': {
      const other = text === 'host' ? 'remote-node' : 'host';
      if (all_.some((value) => value.text === other)) return inNodes(reading, at);
      narrower(at, `which node is \`${text}\` is not known`, 'a probe of kubelet', reading);
      return FALSE;
    }
    default: {
      const help = 'select workloads, nodes or the world';
      reading.findings.error('W504', at, `the entity \`${text}\` is not known here`, help);
      return FALSE;
    }
  }
}

const LISTS = ['fromEndpoints', 'fromCIDR', 'fromCIDRSet', 'fromEntities'] as const;
const UNKEPT: ReadonlyMap<string, string> = new Map([
  ['fromRequires', 'write its labels into `fromEndpoints`'],
  ['fromGroups', 'write the addresses out'],
  ['fromNodes', 'nodes are told apart by nobody: say `host` and `remote-node`'],
  ['icmps', 'only TCP and UDP are judged'],
]);

/** The peers of a rule; null where it says nothing about them. Empty: nobody. */
export function readPeers(rule: Fields, reading: NetworkReading): readonly Condition[] | null {
  const { findings } = reading;
  for (const [name, help] of UNKEPT) {
    if (rule.has(name))
      findings.error('W504', rule.place(name), `\`${name}\` cannot be kept`, help);
  }
  const given = LISTS.filter((name) => rule.list(name) !== null);
  const used = given.filter((name) => (rule.list(name)?.length ?? 0) > 0);
  const [, second] = used;
  if (second !== undefined) {
    const at = rule.place(second);
    findings.error('W503', at, `\`${second}\` stands beside \`${used[0]}\` in one rule`);
  }
  if (given.length === 0) return null;
  const entities = rule.texts('fromEntities') ?? [];
  return [
    ...(rule.list('fromEndpoints') ?? []).map((tree) => endpoint(tree, reading)),
    ...(rule.texts('fromCIDR') ?? []).map((value) => block(value, [], reading)),
    ...(rule.list('fromCIDRSet') ?? []).map((tree) => blockSet(tree, reading)),
    ...entities.map((value) => entity(value, entities, reading)),
  ];
}
