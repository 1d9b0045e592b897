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

/** The service that the client asks; connect finds an endpoint of it. */
const SERVICE = '10.96.9.1';
const PORT = { service: 80, origin: 9081 } as const;
/** Below bpffs; the guardian removes it. */
export const PINS: string = join(BPFFS_PATH, CGROUP);

const WORLD = `
services:
  - name: reviews.prod
    addresses: [${SERVICE}]
    ports: [{ port: ${PORT.service}, target: ${PORT.origin}, protocol: http }]
    clusters:
      - { name: reviews/v1, selector: { app: reviews, version: v1 } }
      - { name: reviews/v2, selector: { app: reviews, version: v2 } }
    balance: round-robin
workloads:
  - { name: v1.prod, addresses: [${SERVERS.v1}], labels: { app: reviews, version: v1 }, serviceAccount: reviews, cgroup: /${CGROUP}/weft-v1 }
  - { name: v2.prod, addresses: [${SERVERS.v2}], labels: { app: reviews, version: v2 }, serviceAccount: reviews, cgroup: /${CGROUP}/weft-v2 }
  - { name: client.prod, addresses: [${CLIENT}], labels: { app: client }, serviceAccount: client, cgroup: /${CGROUP}/weft-client }
`;
export type WeftVariants = Readonly<Record<Bench, WeftVariant>>;

/** Starts the agent, which loads and enrols, and waits for it; the variant asks the service. */
export async function startWeft(where: Where): Promise<WeftVariants> {
  const { cgroups, folder } = where;
  const groups = {
    client: new Group(cgroups, 'weft-client'),
    v1: new Group(cgroups, 'weft-v1'),
    v2: new Group(cgroups, 'weft-v2'),
    agent: new Group(cgroups, 'weft-agent'),
  };
  const origins = startOrigins(where, PORT.origin, (version) => groups[version]);
  const bundle = join(folder, 'bench.weft');
  const world = join(folder, 'bench.yaml');
  writeFileSync(bundle, encodeBundle(await mustCompile(new Map([['reviews.ts', POLICY]]))));
  writeFileSync(world, WORLD);
  mountBpffs();
  const place = { side: null, cgroup: groups.agent.path, cpus: CPUS.proxy };
  const agent = launch('weft-agent', join(folder, 'agent.log'), place, [
    ...[process.execPath, fileURLToPath(new URL('agent.js', import.meta.url))],
    ...[PINS, join(folder, 'weft'), cgroups],
    ...['--bundle', bundle, '--world', world, '--enrol', 'all'],
  ]);
  const mustLive = (): void => {
    for (const program of [...origins, agent]) program.mustLive();
  };
  while (agent.output().split('enrolled ').length <= 3) {
    mustLive();
    await setTimeout(50);
  }
  const variant: WeftVariant = {
    name: 'weft',
    client: { side: 'client', cgroup: groups.client.path, cpus: CPUS.client },
    versions: ['v1', 'v2'],
    target: () => `${SERVICE}:${PORT.service}`,
    serverCpu: () => groups.v1.cpuSeconds() + groups.v2.cpuSeconds(),
    meshCpu: () => groups.agent.cpuSeconds() + kernelWorkerSeconds(),
    programs: join(PINS, 'node/stubs'),
    mustLive,
  };
  return { veth: variant, 'same-node': variant, redirected: variant };
}
