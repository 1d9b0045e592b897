/**
 * NetworkPolicy of Kubernetes -> policies about connections. A pod that a policy selects for ingress takes only what
 * some policy lets in, which is what an ALLOW policy says in Weft. Egress belongs to the side that Weft does not ask.
 */

import { readBlock } from '../block.js';
import { all, type Condition, not, TRUE, test, testWith } from '../condition.js';
import { Fields, Findings } from '../fields.js';
import type { Field, ImportedPolicy, Rule } from '../istio/model.js';
import { ISTIO_DEFAULTS } from '../istio/options.js';
import { writePolicies } from '../istio/write-policies.js';
import { type KubeObject, readObjects, type SourceFile } from '../objects.js';
import { quote } from '../policy-text.js';
import { FileNames, type ImportedProject } from '../project.js';
import type { Tree } from '../tree.js';

const GROUP = 'networking.k8s.io';
/** The label that names a namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

const field = (condition: Condition): Field => ({ http: false, condition });

/** `matchLabels` of a selector; expressions are refused. */
function labelsOf(selector: Fields, findings: Findings): Readonly<Record<string, string>> {
  const labels = selector.map('matchLabels')?.labels() ?? {};
  if (selector.has('matchExpressions')) {
    const at = selector.place('matchExpressions');
    findings.error('W504', at, '`matchExpressions` cannot be kept', 'write it as labels');
  }
  selector.end();
  return labels;
}

function pods(selector: Fields, findings: Findings): Condition {
  const tests = Object.entries(labelsOf(selector, findings)).map(([key, value]) =>
    test(`source.label(${quote(key)}).is(${quote(value)})`),
  );
  return all(...tests);
}

function spaces(selector: Fields, findings: Findings): Condition {
  const { at } = selector;
  const labels = Object.entries(labelsOf(selector, findings));
  if (labels.some(([key]) => key !== NAME_LABEL)) {
    const help = `select namespaces by \`${NAME_LABEL}\``;
    findings.error('W504', at, 'labels of namespaces are not known', help);
  }
  const named = labels.map(([, value]) => test(`source.namespace.is(${quote(value)})`));
  return named.length === 0 ? test('source.namespace.exists') : all(...named);
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
  return [field(all(where, pod === null ? TRUE : pods(pod, findings)))];
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

function readPolicy(object: KubeObject, findings: Findings): ImportedPolicy | null {
  const { namespace, name, at } = object;
  const spec = object.root.map('spec');
  object.root.end();
  if (spec === null) {
    findings.error('W503', at, '`spec` is missing');
    return null;
  }
  const selector = spec.map('podSelector');
  const labels = selector === null ? {} : labelsOf(selector, findings);
  const types = spec.texts('policyTypes') ?? [];
  const egress = types.find(({ text }) => text === 'Egress');
  if (egress !== undefined || spec.has('egress')) {
    const place = egress?.at ?? spec.place('egress');
    const help = 'say at the destination who may come';
    findings.error('W504', place, 'egress is not judged', help);
  }
  const rules = spec.list('ingress') ?? [];
  spec.end();
  const id = `ns[${namespace}]-policy[${name}]`;
  return {
    id,
    at,
    scope: { namespace, labels },
    action: 'allow',
    dryRun: false,
    rules: rules.flatMap(
      (rule, i) => readRule(rule, `${id}-rule[${i}]`, namespace, findings) ?? [],
    ),
  };
}

/** Reads all files and writes the project; where there are errors there are no policies. */
export function importNetwork(files: readonly SourceFile[], namespace: string): ImportedProject {
  const findings = new Findings();
  const objects = readObjects(files, findings, namespace);
  const own = objects.filter((o) => o.group === GROUP && o.kind === 'NetworkPolicy');
  const policies = own.flatMap((object) => readPolicy(object, findings) ?? []);
  for (const { group, kind, name, at } of objects) {
    if (group === 'cilium.io') findings.error('W501', at, `${kind} \`${name}\` is not imported`);
  }
  const written = writePolicies({
    policies,
    refusals: [],
    options: ISTIO_DEFAULTS,
    layout: 'scopes',
    names: new FileNames(),
    dialect: 'cilium',
  });
  return {
    policies: findings.errors > 0 ? [] : written,
    default: 'allow',
    objects: { read: own.length, ignored: objects.length - own.length },
    diagnostics: findings.all,
  };
}
