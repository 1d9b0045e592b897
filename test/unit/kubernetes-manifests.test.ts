/**
 * The manifests against the schemas of the Kubernetes API (its OpenAPI document, as `kubernetes-models`
 * carries it), and against what the agent and its documents say.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonSet } from 'kubernetes-models/apps/v1';
import { ClusterRole, ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { ConfigMap, Namespace, ServiceAccount } from 'kubernetes-models/v1';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { readAgentOptions, splitArgs } from '../../runtime/agent/agent-options.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string): string => readFileSync(join(root, 'runtime/kubernetes', name), 'utf8');
const test = suite('kubernetes: manifests');

interface Checked {
  validate(): void;
}
type Raw = Readonly<Record<string, unknown>> & { readonly kind: string };

/** Each kind with its own schema. What a document holds is what is being asked: the types cannot tell. */
const KINDS: Readonly<Record<string, new (data: object) => Checked>> = {
  DaemonSet: DaemonSet as unknown as new (data: object) => Checked,
  ClusterRole,
  ClusterRoleBinding: ClusterRoleBinding as unknown as new (data: object) => Checked,
  ConfigMap,
  Namespace,
  ServiceAccount,
};

const documents = parseAllDocuments(read('weft.yaml')).map((document) => {
  assert.equal(document.errors, []);
  return document.toJS() as Raw;
});

function faultOf(raw: Raw): string | null {
  const Kind = KINDS[raw.kind];
  if (Kind === undefined) return `unknown kind ${raw.kind}`;
  try {
    new Kind(raw).validate();
    return null;
  } catch (error) {
    return String(error);
  }
}

function daemonSet(): DaemonSet {
  const raw = documents.find(({ kind }) => kind === 'DaemonSet');
  return new DaemonSet(raw as unknown as ConstructorParameters<typeof DaemonSet>[0]);
}

test('each document keeps the schema of its kind', () => {
  assert.equal(
    documents.map(({ kind }) => kind),
    ['Namespace', 'ConfigMap', 'DaemonSet', 'ClusterRole', 'ClusterRoleBinding', 'ServiceAccount'],
  );
  for (const raw of documents) assert.is(faultOf(raw), null, raw.kind);
});

test('what the schema does not allow is seen', () => {
  const raw = documents.find(({ kind }) => kind === 'DaemonSet');
  const text = JSON.stringify(raw);
  for (const [from, to] of [
    ['"maxUnavailable":1', '"maxUnavailable":[1]'],
    ['"hostPID":true', '"hostPID":"true"'],
    ['"name":"agent",', ''],
    ['"periodSeconds":5', '"periodSeconds":"5s"'],
    ['"apiVersion":"apps/v1"', '"apiVersion":"apps/v2"'],
  ] as const) {
    assert.ok(text.includes(from), from);
    assert.ok(faultOf(JSON.parse(text.replace(from, to))) !== null, to);
  }
});

test('the arguments are those that the agent takes', () => {
  const args = daemonSet().spec?.template.spec?.containers[0]?.args ?? [];
  const options = readAgentOptions(splitArgs(args));
  assert.ok(options.ok, JSON.stringify(options));
});

test('mounts and volumes name each other, the selector its pods, the role its account', () => {
  const spec = daemonSet().spec;
  const pod = spec?.template.spec;
  assert.equal(
    (pod?.containers[0]?.volumeMounts ?? []).map(({ name }) => name).sort(),
    (pod?.volumes ?? []).map(({ name }) => name).sort(),
  );
  assert.equal(spec?.selector.matchLabels, spec?.template.metadata?.labels);
  const named = documents.filter((raw) => raw.kind !== 'Namespace').map((raw) => raw['metadata']);
  for (const metadata of named) assert.is((metadata as { name: string }).name, 'weft-agent');
});

test('the capabilities are those of the unit', () => {
  const unit = readFileSync(join(root, 'runtime/agent/weft-agent.service'), 'utf8');
  const [, bounding = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? [];
  const { capabilities } = daemonSet().spec?.template.spec?.containers[0]?.securityContext ?? {};
  assert.equal(capabilities?.drop, ['ALL']);
  assert.equal(
    capabilities?.add?.map((name) => `CAP_${name}`),
    bounding.split(' '),
  );
});

test.run();
