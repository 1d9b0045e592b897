/**
 * What the agent of the bench is given: a bundle of a hundred policies and ten thousand workloads, as the
 * file of a world and as the objects of a cluster.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespace, node, pod, service } from '../support/cluster-objects.js';
import type { FakeApiServer } from '../support/fake-api-server.js';

/** Each attached to a namespace of its own. */
const POLICIES = 100;
const WORKLOADS = 10_000;
const SERVICES = 50;
const NODES = 100;
/** Of the bundled programs. */
export const PROGRAMS: string = fileURLToPath(new URL('../../', import.meta.url));

/** Half of them of requests. */
function policyText(index: number): string {
  if (index % 2 === 0) {
    return `import { Connection, Table, Verdict } from "weft";
const plans = new Table<u32>("plans");
for (let i = 0; i < 100; i++) plans.set("app-" + (i * ${index + 1}).toString(), i % 3);
export function authorizeConnection(connection: Connection): Verdict {
  if (!connection.source.namespace.is("ns-${index}")) return Verdict.Pass;
  return connection.destination.port == ${1024 + index} ? Verdict.Deny : Verdict.Allow;
}
`;
  }
  return `import { Request, Table, Verdict } from "weft";
const tenants = new Table<u32>("tenants");
for (let i = 0; i < 100; i++) tenants.set("tenant-" + (i * ${index + 1}).toString(), i % 3);
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private-${index}")) return Verdict.Deny;
  if (tenants.get(request.header("x-tenant")) == 2) return Verdict.Allow;
  return Verdict.Pass;
}
`;
}

interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
}

function workload(i: number): Workload {
  return {
    ...{ name: `w${i}`, namespace: `ns-${i % POLICIES}`, node: `node-${i % NODES}` },
    addresses: [`10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, `fd00:1::${i.toString(16)}`],
    labels: { app: `app-${i % SERVICES}`, version: `v${i % 3}`, tier: i % 2 === 0 ? 'web' : 'db' },
  };
}

const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

function worldText(): string {
  const workloads = each(WORKLOADS, (i) => {
    const { name, namespace: within, ...rest } = workload(i);
    return {
      ...{ name: `${name}.${within}`, ...rest, serviceAccount: `account-${i % 200}` },
      ...{ locality: { region: 'eu', zone: `eu-${i % 3}` }, cgroup: `/kubepods/pod-${i}` },
    };
  });
  const services = each(SERVICES, (i) => ({
    name: `s${i}.ns-${i}`,
    addresses: [`10.250.0.${i + 1}`],
    ports: [{ port: 80, target: 9080, protocol: 'http' }],
    clusters: [{ name: `s${i}/all`, selector: { app: `app-${i}` } }],
  }));
  const line = (item: object): string => `  - ${JSON.stringify(item)}\n`;
  return `services:\n${services.map(line).join('')}workloads:\n${workloads.map(line).join('')}`;
}

/** What a real pod has besides (4.5 KiB of JSON in all): containers, volumes, who manages which field. */
const BALLAST = {
  volumes: each(6, (i) => ({
    name: `volume-${i}`,
    configMap: { name: `settings-of-volume-${i}` },
  })),
  tolerations: each(20, (i) => ({ key: `node.example/state-${i}`, operator: 'Exists' })),
  env: each(40, (i) => ({ name: `SETTING_NUMBER_${i}`, value: `the value of the setting ${i}` })),
};

/** The same ten thousand workloads, as a cluster has them. */
export function fillCluster(api: FakeApiServer): void {
  for (let i = 0; i < NODES; i += 1) api.put('nodes', node(`node-${i}`, `eu-${i % 3}`));
  for (let i = 0; i < POLICIES; i += 1) api.put('namespaces', namespace(`ns-${i}`));
  for (let i = 0; i < WORKLOADS; i += 1) {
    const { name, addresses, ...rest } = workload(i);
    api.put('pods', pod(name, { ...rest, ips: addresses, spec: BALLAST }));
  }
  for (let i = 0; i < SERVICES; i += 1) {
    const made = service(`s${i}`, {
      ...{ ips: [`10.250.0.${i + 1}`], selector: { app: `app-${i}` } },
      ports: [{ port: 80, targetPort: 9080, name: 'http' }],
    });
    api.put('services', { ...made, metadata: { ...made.metadata, namespace: `ns-${i}` } });
  }
}

export interface AgentInput {
  readonly bundle: string;
  readonly world: string;
}

/** Writes the project and the world, and builds the bundle with the verb. */
export function makeInput(folder: string): AgentInput {
  const project = join(folder, 'agent');
  mkdirSync(join(project, 'policies'), { recursive: true });
  const policies = each(POLICIES, (i) => {
    const file = `policies/p${i}.ts`;
    writeFileSync(join(project, file), policyText(i));
    return { file, attach: [{ namespace: `ns-${i}` }] };
  });
  const world = join(project, 'world.yaml');
  const bundle = join(folder, 'agent.weft');
  writeFileSync(join(project, 'weft.json'), JSON.stringify({ name: 'agent', policies }));
  writeFileSync(world, worldText());
  const verb = [join(PROGRAMS, 'cli.mjs'), 'build', project, '--out', bundle];
  const { status, stderr } = spawnSync(process.execPath, verb, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`weft build: ${stderr}`);
  return { bundle, world };
}
