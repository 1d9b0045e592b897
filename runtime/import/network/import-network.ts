/**
 * NetworkPolicy of Kubernetes -> policies about connections. A pod that a policy selects for ingress takes only what
 * some policy lets in, which is what an ALLOW policy says in Weft. Egress belongs to the side that Weft does not ask.
 */

import { readBlock } from '../block.js';
import { all, type Condition, not, TRUE, test, testWith, write } from '../condition.js';
import { Fields, Findings, once, type Text } from '../fields.js';
import {
  type Field,
  type ImportedPolicy,
  type Rule,
  type Scope,
  usesRequests,
} from '../istio/model.js';
import { ISTIO_DEFAULTS } from '../istio/options.js';
import { type Layout, writePolicies } from '../istio/write-policies.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { PolicyText, quote } from '../policy-text.js';
import { FileNames, type ImportedProject } from '../project.js';
import type { Tree } from '../tree.js';
import { readCiliumPolicy } from './read-cilium-policy.js';
import { field, type NetworkOptions, warnOfNodes } from './reading.js';
import { readSelector, type Selector } from './selector.js';

const GROUP = 'networking.k8s.io';
/** The label that names a namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** A selector of pods on one side. */
function podsOf(selector: Fields, side: 'source' | 'destination', findings: Findings): Selector {
  return readSelector(selector, ({ text }) => `${side}.label(${quote(text)})`, findings);
}

function spaces(selector: Fields, findings: Findings): Condition {
  const expressionOf = ({ at, text }: Text): string => {
    if (text !== NAME_LABEL) {
      const help = `select namespaces by \`${NAME_LABEL}\``;
      findings.error('W504', at, 'labels of namespaces are not known', help);
    }
    return 'source.namespace';
  };
  const { condition, keys } = readSelector(selector, expressionOf, findings);
  return keys.size === 0
    ? test('source.namespace.exists')
    : all(test('source.namespace.exists'), condition);
}

/** Address blocks may hold pods too: they are compared with the peer's address, whoever it is. */
function block(fields: Fields, findings: Findings): Condition {
  const cidr = fields.text('cidr');
  const except = fields.texts('except') ?? [];
  fields.end();
  const whole = cidr === null ? null : readBlock(cidr, findings);
  const holes = except.flatMap((value) => readBlock(value, findings) ?? []);
  if (whole === null) return TRUE;
  const inside = testWith((p) => `source.address.in(${p.cidrs('ipBlock', [whole])})`);
  const outside = testWith((p) => `source.address.in(${p.cidrs('except', holes)})`);
  return holes.length === 0 ? inside : all(inside, not(outside));
}

function readPeer(tree: Tree, namespace: string, findings: Findings): readonly Field[] {
  const peer = Fields.of(tree, findings, 'a peer');
  if (peer === null) return [];
  const [pod, space, ip] = [
    peer.map('podSelector'),
    peer.map('namespaceSelector'),
    peer.map('ipBlock'),
  ];
  peer.end();
  if (ip !== null && (pod !== null || space !== null)) {
    findings.error('W503', tree.at, '`ipBlock` stands beside a selector');
  }
  if (pod === null && space === null && ip === null) {
    findings.error('W503', tree.at, 'a peer needs a selector or an `ipBlock`');
  }
  if (ip !== null) return [field(block(ip, findings))];
  const where =
    space === null ? test(`source.namespace.is(${quote(namespace)})`) : spaces(space, findings);
  return [field(all(where, pod === null ? TRUE : podsOf(pod, 'source', findings).condition))];
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['TCP', 6],
  ['UDP', 17],
]);

function readPort(tree: Tree, findings: Findings): readonly Field[] {
  const fields = Fields.of(tree, findings, 'a port');
  if (fields === null) return [];
  const name = fields.text('protocol');
  const protocol = PROTOCOLS.get(name?.text ?? 'TCP');
  if (protocol === undefined) {
    findings.error('W504', name?.at ?? tree.at, 'only TCP and UDP are judged');
  }
  const port = fields.tree('port');
  const end = fields.number('endPort');
  fields.end();
  const kind = field(test(`connection.protocol == ${protocol ?? 6}`));
  if (port === null) return [kind];
  const { value } = port;
  if (typeof value !== 'number') {
    findings.error('W504', port.at, 'a port by name is known to the pod only', 'write its number');
    return [kind];
  }
  const last = end?.number ?? value;
  if (![value, last].every((n) => Number.isInteger(n) && n > 0 && n <= 65535) || last < value) {
    findings.error(
      'W503',
      port.at,
      'the port is not between 1 and 65535, or ends before it begins',
    );
  }
  const number =
    last === value
      ? test(`destination.port == ${value}`)
      : all(test(`destination.port >= ${value}`), test(`destination.port <= ${last}`));
  return [kind, field(number)];
}

function readRule(tree: Tree, id: string, namespace: string, findings: Findings): Rule | null {
  const fields = Fields.of(tree, findings, 'an ingress rule');
  if (fields === null) return null;
  const sources = (fields.list('from') ?? []).map((peer) => readPeer(peer, namespace, findings));
  const operations = (fields.list('ports') ?? []).map((port) => readPort(port, findings));
  fields.end();
  return { id, at: tree.at, sources, operations, when: [] };
}

function scopeOf(namespace: string, chosen: Selector | null): Scope {
  if (chosen === null || chosen.plain) return { namespace, labels: chosen?.labels ?? {} };
  const text = write(chosen.condition, new PolicyText([]));
  return { namespace, labels: {}, more: { text, condition: chosen.condition } };
}

function readPolicy(object: KubeObject, findings: Findings): ImportedPolicy | null {
  const { namespace, name, at } = object;
  const spec = object.root.map('spec');
  object.root.end();
  if (spec === null) {
    findings.error('W503', at, '`spec` is missing');
    return null;
  }
  const selector = spec.map('podSelector');
  const chosen = selector === null ? null : podsOf(selector, 'destination', findings);
  const types = spec.texts('policyTypes') ?? [];
  const egress = types.find(({ text }) => text === 'Egress');
  if (egress !== undefined || spec.has('egress')) {
    const place = egress?.at ?? spec.place('egress');
    const help = 'say at the destination who may come';
    findings.error('W504', place, 'egress is not judged', help);
  }
  const rules = spec.list('ingress') ?? [];
  warnOfNodes(at, findings);
  spec.end();
  const id = `ns[${namespace}]-policy[${name}]`;
  return {
    id,
    at,
    scope: scopeOf(namespace, chosen),
    action: 'allow',
    dryRun: false,
    rules: rules.flatMap(
      (rule, i) => readRule(rule, `${id}-rule[${i}]`, namespace, findings) ?? [],
    ),
  };
}

const CILIUM = 'cilium.io';
const KINDS: readonly string[] = ['CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'];

/** Ports on which some rule looks at requests. */
function portsOf(policies: readonly ImportedPolicy[], known: readonly number[]): readonly number[] {
  const rules = policies.flatMap((policy) => policy.rules);
  return rules.some(usesRequests) ? known : [];
}

/** What attaching alone cannot say: then one policy asks for all scopes. */
function layoutOf(policies: readonly ImportedPolicy[]): Layout {
  const asks = policies.some(({ scope, selects }) => scope.more !== undefined || selects === false);
  return asks ? 'one' : 'scopes';
}

/** Reads all files and writes the project; where there are errors there are no policies. */
export function importNetwork(
  files: readonly SourceFile[],
  options: NetworkOptions,
): ImportedProject {
  const findings = new Findings();
  for (const text of options.nodes)
    readBlock({ at: { file: '--nodes', line: 1, column: 1 }, text }, findings);
  const objects = readObjects(files, findings, options.namespace);
  const own = objects.filter((o) => o.group === GROUP && o.kind === 'NetworkPolicy');
  const cilium = objects.filter((o) => o.group === CILIUM && KINDS.includes(o.kind));
  const policies = [
    ...own.flatMap((object) => readPolicy(object, findings) ?? []),
    ...cilium.flatMap((object) => readCiliumPolicy(object, { findings, options })),
  ];
  for (const { group, kind, name, at } of objects) {
    if (group !== CILIUM || KINDS.includes(kind)) continue;
    findings.error('W501', at, `${kind} \`${name}\` is not imported`);
  }
  const read = own.length + cilium.length;
  const written =
    findings.errors > 0
      ? []
      : writePolicies({
          policies,
          refusals: [],
          options: { ...ISTIO_DEFAULTS, httpPorts: portsOf(policies, options.httpPorts) },
          layout: layoutOf(policies),
          names: new FileNames(),
          dialect: 'cilium',
          judges: 'twice',
        });
  return {
    policies: written,
    default: 'allow',
    objects: { read, ignored: objects.length - read },
    diagnostics: once(findings.all),
  };
}
