/** Weft as a variant: a bundle with the rules, client and origins enrolled by their cgroups. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeBundle } from '../../../compiler/bundle/index.js';
import { BPFFS_PATH, mountBpffs } from '../../../runtime/kernel/index.js';
import { mustCompile } from '../../support/compile-texts.js';
import { kernelWorkerSeconds } from './bpf-time.js';
import { launch } from './launch.js';
import { CGROUP, CLIENT, Group, SERVERS } from './network.js';
import { startOrigins, type Where } from './peers.js';
import { POLICY } from './policy.js';
import type { Bench } from './sets.js';
import { CPUS, type Variant } from './variant.js';

/** Weft's work is done in the kernel: `meshCpu` is its agent's and work queues', `programs` are pins of what else there is. */
export interface WeftVariant extends Variant {
  readonly programs: string;
}

/** Two meshes beside each other: one asks for the short circuit. */
interface Mesh {
  readonly name: string;
  /** The service that the client asks; connect finds an endpoint of it. */
  readonly service: string;
  readonly origin: number;
  readonly flags: readonly string[];
}
const FAR: Mesh = { name: 'weft', service: '10.96.9.1', origin: 9081, flags: [] };
const NEAR: Mesh = {
  name: 'weft-near',
  service: '10.96.9.2',
  origin: 9082,
  flags: ['--short-circuit'],
};
const SERVICE_PORT = 80;
/** Below bpffs; the guardian removes it. */
export const PINS: string = join(BPFFS_PATH, CGROUP);

const worldOf = ({ name, service, origin }: Mesh): string => `
services:
  - name: reviews.prod
    addresses: [${service}]
    ports: [{ port: ${SERVICE_PORT}, target: ${origin}, protocol: http }]
    clusters:
      - { name: reviews/v1, selector: { app: reviews, version: v1 } }
      - { name: reviews/v2, selector: { app: reviews, version: v2 } }
    balance: round-robin
workloads:
  - { name: v1.prod, addresses: [${SERVERS.v1}], labels: { app: reviews, version: v1 }, serviceAccount: reviews, cgroup: /${CGROUP}/${name}-v1 }
  - { name: v2.prod, addresses: [${SERVERS.v2}], labels: { app: reviews, version: v2 }, serviceAccount: reviews, cgroup: /${CGROUP}/${name}-v2 }
  - { name: client.prod, addresses: [${CLIENT}], labels: { app: client }, serviceAccount: client, cgroup: /${CGROUP}/${name}-client }
`;
export type WeftVariants = Readonly<Record<Bench, WeftVariant>>;

/** Starts the agent, which loads and enrols, and waits for it; the variant asks the service. */
async function startMesh(where: Where, mesh: Mesh): Promise<WeftVariant> {
  const { cgroups, folder } = where;
  const { name } = mesh;
  const groups = {
    client: new Group(cgroups, `${name}-client`),
    v1: new Group(cgroups, `${name}-v1`),
    v2: new Group(cgroups, `${name}-v2`),
    agent: new Group(cgroups, `${name}-agent`),
  };
  const origins = startOrigins(where, mesh.origin, (version) => groups[version]);
  const bundle = join(folder, `${name}.bundle`);
  const world = join(folder, `${name}.yaml`);
  const pins = join(PINS, name);
  writeFileSync(bundle, encodeBundle(await mustCompile(new Map([['reviews.ts', POLICY]]))));
  writeFileSync(world, worldOf(mesh));
  mountBpffs();
  const place = { side: null, cgroup: groups.agent.path, cpus: CPUS.proxy };
  const agent = launch(`${name}-agent`, join(folder, `${name}.log`), place, [
    ...[process.execPath, fileURLToPath(new URL('agent.js', import.meta.url))],
    ...[pins, join(folder, name), cgroups],
    ...['--bundle', bundle, '--world', world, '--enrol', 'all', ...mesh.flags],
  ]);
  const mustLive = (): void => {
    for (const program of [...origins, agent]) program.mustLive();
  };
  while (agent.output().split('enrolled ').length <= 3) {
    mustLive();
    await setTimeout(50);
  }
  return {
    name,
    client: { side: 'client', cgroup: groups.client.path, cpus: CPUS.client },
    versions: ['v1', 'v2'],
    target: () => `${mesh.service}:${SERVICE_PORT}`,
    serverCpu: () => groups.v1.cpuSeconds() + groups.v2.cpuSeconds(),
    meshCpu: () => groups.agent.cpuSeconds() + kernelWorkerSeconds(),
    programs: join(pins, 'node/stubs'),
    mustLive,
  };
}

/** One mesh answers for what goes over veth and elsewhere, the other for what goes past TCP. */
export async function startWeft(where: Where): Promise<WeftVariants> {
  const far = await startMesh(where, FAR);
  return { veth: far, 'same-node': await startMesh(where, NEAR), redirected: far };
}
