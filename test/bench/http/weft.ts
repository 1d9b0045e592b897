/** Weft as a variant: a bundle with the rules, client and origins enrolled by their cgroups. */
import { join } from 'node:path';
import { bundleDigest } from '../../../compiler/index.js';
import { enrol, load } from '../../../runtime/agent/index.js';
import { readWorld } from '../../../runtime/discovery/index.js';
import { BPFFS_PATH, type Kernel, mountBpffs } from '../../../runtime/kernel/index.js';
import { mustCompile } from '../../support/compile-texts.js';
import { CGROUP, CLIENT, Group, SERVERS } from './network.js';
import { startOrigins, type Where } from './peers.js';
import { POLICY } from './policy.js';
import type { Bench } from './sets.js';
import { CPUS, type Variant } from './variant.js';

/** Weft's work is done in the kernel: `meshCpu` is its agent's, `programs` are pins of what else there is. */
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
/** By bench; what is missing is not measured. */
export type WeftVariants = Readonly<Partial<Record<Bench, WeftVariant>>>;

/** Loads and enrols; the variant asks the service. */
export async function startWeft(kernel: Kernel, where: Where): Promise<WeftVariants> {
  const { cgroups, folder } = where;
  const groups = {
    client: new Group(cgroups, 'weft-client'),
    v1: new Group(cgroups, 'weft-v1'),
    v2: new Group(cgroups, 'weft-v2'),
  };
  const origins = startOrigins(where, PORT.origin, (version) => groups[version]);
  const bundle = await mustCompile(new Map([['reviews.ts', POLICY]]));
  const { world } = readWorld(WORLD, 'bench.yaml');
  if (world === null) throw new Error('no world');
  mountBpffs();
  const paths = { pins: PINS, run: join(folder, 'weft'), cgroups };
  const now = { now: new Date(), clockOffset: 0n };
  load(kernel, paths, { bundle, digest: bundleDigest(bundle), world, ...now });
  for (const role of ['client', 'v1', 'v2']) enrol(kernel, paths, `/${CGROUP}/weft-${role}`);
  const variant: WeftVariant = {
    name: 'weft',
    client: { side: 'client', cgroup: groups.client.path, cpus: CPUS.client },
    versions: ['v1'],
    target: () => `${SERVICE}:${PORT.service}`,
    serverCpu: () => groups.v1.cpuSeconds() + groups.v2.cpuSeconds(),
    meshCpu: () => 0,
    programs: join(PINS, 'node/stubs'),
    mustLive: () => {
      for (const program of origins) program.mustLive();
    },
  };
  return { veth: variant, 'same-node': variant };
}
