/**
 * The plan of a generation: everything that the kernel's maps and the simulator need to know of a
 * world for one bundle, as plain data. The agent encodes it into maps, the simulator reads it as it
 * stands; so both engines see the same indices, symbols, masks and schedules.
 *
 * Indices are positions: workloads and services in world order, clusters as the clusters of each
 * service in order, followed by the service's default cluster where it has more than one; all of
 * that once for each distinct target port, since an endpoint is an address and a port.
 */
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { type Identity, identityOf, symbolTable } from './identity.js';
import { clusterMembers, defaultClusterName, serviceMembers } from './members.js';
import { policyTargets } from './policy-targets.js';
import { resolveCluster } from './resolve-cluster.js';
import { MAX_SCHEDULE, schedule } from './schedule.js';
import type { Address, Service, Workload, World } from './types.js';

/** IP protocol numbers. */
export const PROTOCOL = { tcp: 6, udp: 17 } as const;
/** Plan.routes where a route names no cluster, or none of the world. */
export const NO_CLUSTER: number = -1;

export interface PlanWorkload {
  readonly index: number;
  readonly workload: Workload;
  /** All its addresses; those that connections may come from and go to. */
  readonly addresses: readonly Address[];
  /** The address of each family that stands for the workload: its first; null without one. */
  readonly v4: Address | null;
  readonly v6: Address | null;
  readonly source: Identity;
  readonly destination: Identity;
  /** Policies that authorize connections to it. */
  readonly policies: bigint;
}

export interface PlanFrontend {
  readonly address: Address;
  readonly port: number; // host order, as all ports here
  readonly protocol: 6 | 17; // http counts as tcp
  /** Requests to it are judged one by one. */
  readonly http: boolean;
  /** Cluster index for connections without a routing opinion. */
  readonly cluster: number;
}

export interface PlanService {
  readonly index: number;
  readonly name: string;
  /** Policies that route connections to it. */
  readonly policies: bigint;
  readonly frontends: readonly PlanFrontend[];
}

export interface PlanEndpoint {
  readonly workload: number;
  readonly address: Address;
  readonly port: number;
}

export interface PlanCluster {
  readonly index: number;
  readonly name: string;
  readonly service: number;
  /** Port of its endpoints. */
  readonly port: number;
  readonly balance: 'round-robin' | 'random';
  /** Entry `draw % length` serves; empty where no healthy endpoint of the family has a weight. */
  readonly v4: readonly PlanEndpoint[];
  readonly v6: readonly PlanEndpoint[];
}

/** A member of a service under one of its own addresses. */
export interface PlanMember {
  readonly address: Address;
  readonly port: number;
}

export interface Plan {
  readonly workloads: readonly PlanWorkload[];
  readonly services: readonly PlanService[];
  readonly clusters: readonly PlanCluster[];
  /** Of every HTTP port, healthy or not, each once. */
  readonly httpMembers: readonly PlanMember[];
  /** routes[n - 1] is the cluster index of bundle-wide route n; NO_CLUSTER where unresolved, and for routes of another kind. */
  readonly routes: readonly number[];
  /** Texts of the symbols that follow the bundle's own: FIRST_SYMBOL + manifest.symbols.length + i. */
  readonly symbols: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

type Family = 4 | 6;

function firstOf(workload: Workload, family: Family): Address | null {
  return workload.addresses.find((address) => address.family === family) ?? null;
}

interface ClusterSpec {
  readonly name: string;
  readonly service: number;
  readonly port: number;
  readonly members: readonly Workload[];
}

function endpointsOf(
  spec: ClusterSpec,
  family: Family,
  indices: ReadonlyMap<Workload, number>,
  found: Diagnostic[],
): PlanEndpoint[] {
  const usable = spec.members.flatMap((workload) => {
    const address = firstOf(workload, family);
    const index = indices.get(workload);
    if (!workload.healthy || address === null || index === undefined) return [];
    return [{ weight: workload.weight, endpoint: { workload: index, address, port: spec.port } }];
  });
  const order = schedule(usable.map(({ weight }) => weight));
  if (order === null) {
    const message = `the weights of \`${spec.name}\` need more than ${MAX_SCHEDULE} turns`;
    found.push(diagnostic('W108', message, { at: spec.members[0]?.at ?? null }));
  }
  return (order ?? []).flatMap((turn) => usable[turn]?.endpoint ?? []);
}

function targetsOf(service: Service): number[] {
  return [...new Set(service.ports.map(({ target }) => target))];
}

function clusterSpecs(world: World, service: Service, index: number): ClusterSpec[] {
  const named = service.clusters.map((cluster) => ({
    name: cluster.name,
    service: index,
    members: clusterMembers(world, service, cluster),
  }));
  const all = { name: defaultClusterName(service), service: index };
  const members = serviceMembers(world, service);
  const specs = named.length === 1 ? named : [...named, { ...all, members }];
  return targetsOf(service).flatMap((port) => specs.map((spec) => ({ ...spec, port })));
}

function frontendsOf(
  service: Service,
  index: number,
  specs: readonly ClusterSpec[],
): PlanFrontend[] {
  const name = defaultClusterName(service);
  return service.addresses.flatMap((address) =>
    service.ports.map(({ port, target, protocol }) => ({
      address,
      port,
      protocol: protocol === 'udp' ? PROTOCOL.udp : PROTOCOL.tcp,
      http: protocol === 'http',
      cluster: specs.findIndex((s) => s.service === index && s.port === target && s.name === name),
    })),
  );
}

function httpMembersOf(world: World): PlanMember[] {
  const found = new Map<string, PlanMember>();
  for (const service of world.services) {
    const ports = service.ports.filter(({ protocol }) => protocol === 'http');
    const addresses = serviceMembers(world, service).flatMap((member) => member.addresses);
    for (const { target } of ports)
      for (const address of addresses)
        found.set(`${address.text} ${target}`, { address, port: target });
  }
  return [...found.values()];
}

function resolveRoutes(
  manifest: PlanManifest,
  world: World,
  specs: readonly ClusterSpec[],
  found: Diagnostic[],
): number[] {
  return manifest.routes.map((route) => {
    if (route.kind !== 'cluster') return NO_CLUSTER;
    const { name, policy } = route;
    const scope = manifest.policies[policy]?.attach ?? [];
    const resolved = resolveCluster(world, name, scope);
    if (!resolved.ok) {
      found.push(resolved.diagnostic);
      return NO_CLUSTER;
    }
    if (targetsOf(resolved.service).length > 1) {
      const message = `the route to \`${name}\` cannot tell the target ports of \`${resolved.service.name}\` apart`;
      found.push(diagnostic('W123', message, { at: resolved.service.at }));
      return NO_CLUSTER;
    }
    const service = world.services.indexOf(resolved.service);
    return specs.findIndex((s) => s.service === service && s.name === resolved.cluster.name);
  });
}

/** The part of a manifest that a plan depends on. */
export type PlanManifest = Pick<
  Manifest,
  'policies' | 'routes' | 'symbols' | 'attributes' | 'predicates' | 'trust'
>;

/**
 * Plans a generation. Faults are diagnostics of the plan: W108 (weights), W120 and W121 (clusters
 * that policies name), W123 (target ports), W122 (attachments, a warning). A plan with errors must not be staged.
 */
export function planGeneration(manifest: PlanManifest, world: World): Plan {
  const found: Diagnostic[] = [];
  const symbols = symbolTable(manifest.symbols);
  const targets = policyTargets(world, manifest.policies);
  found.push(...targets.diagnostics);
  const workloads = world.workloads.map((workload, index) => ({
    index,
    workload,
    addresses: workload.addresses,
    v4: firstOf(workload, 4),
    v6: firstOf(workload, 6),
    source: identityOf(manifest, symbols, workload, 'source'),
    destination: identityOf(manifest, symbols, workload, 'destination'),
    policies: targets.workloads[index] ?? 0n,
  }));
  const indices = new Map(world.workloads.map((workload, index) => [workload, index]));
  const specs = world.services.flatMap((service, index) => clusterSpecs(world, service, index));
  const clusters = specs.map((spec, index) => ({
    index,
    name: spec.name,
    service: spec.service,
    port: spec.port,
    balance: world.services[spec.service]?.balance ?? 'round-robin',
    v4: endpointsOf(spec, 4, indices, found),
    v6: endpointsOf(spec, 6, indices, found),
  }));
  const services = world.services.map((service, index) => ({
    index,
    name: service.name,
    policies: targets.services[index] ?? 0n,
    frontends: frontendsOf(service, index, specs),
  }));
  const routes = resolveRoutes(manifest, world, specs, found);
  const httpMembers = httpMembersOf(world);
  return {
    workloads,
    services,
    clusters,
    httpMembers,
    routes,
    symbols: symbols.added,
    diagnostics: found,
  };
}
