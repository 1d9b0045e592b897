/**
 * A plan as the contents of a generation's maps: pure bytes, so that the maps can be sized before
 * the load and compared in tests. Policies of a workload or service are masks over the bundle.
 */
import type { Plan, PlanCluster, PlanEndpoint } from '../discovery/index.js';
import {
  clusterIndex,
  encodeCluster,
  encodeEndpoint,
  encodeIdentity,
  encodeService,
  encodeServiceKey,
  encodeU32,
  encodeU64,
  NONE,
} from './layout.js';

export type Entries = readonly (readonly [Uint8Array, Uint8Array])[];

/** Cgroup ids of workloads that run on this node. */
export type CgroupIds = ReadonlyMap<number, bigint>;

function clusters(plan: Plan): { clusters: Entries; endpoints: Entries } {
  const ranges: [Uint8Array, Uint8Array][] = [];
  const endpoints: [Uint8Array, Uint8Array][] = [];
  const add = (cluster: PlanCluster, family: 4 | 6, list: readonly PlanEndpoint[]): void => {
    const first = endpoints.length;
    for (const { workload, address, port } of list) {
      const value = encodeEndpoint({ address: address.bytes, port, workload });
      endpoints.push([encodeU32(endpoints.length), value]);
    }
    const value = encodeCluster({ first, count: list.length, balance: cluster.balance });
    ranges.push([encodeU32(clusterIndex(cluster.index, family)), value]);
  };
  for (const cluster of plan.clusters) {
    add(cluster, 4, cluster.v4);
    add(cluster, 6, cluster.v6);
  }
  return { clusters: ranges, endpoints };
}

function services(plan: Plan): Entries {
  return plan.services.flatMap((service) =>
    service.frontends.map(
      ({ address, port, protocol, cluster }) =>
        [
          encodeServiceKey({ address: address.bytes, port, protocol }),
          encodeService({
            service: service.index,
            cluster,
            policies: service.policies,
          }),
        ] as const,
    ),
  );
}

/** Route 0 is no opinion, and never looked up. */
function routes(plan: Plan): Entries {
  const numbered = plan.routes.map((cluster) => (cluster < 0 ? NONE : cluster));
  return [NONE, ...numbered].map((cluster, i) => [encodeU32(i), encodeU32(cluster)] as const);
}

function identities(plan: Plan): Entries {
  return plan.workloads.map(
    (w) =>
      [
        encodeU32(w.index),
        encodeIdentity({
          source: w.source,
          destination: w.destination,
          policies: w.policies,
          address4: w.v4?.bytes ?? null,
          address6: w.v6?.bytes ?? null,
        }),
      ] as const,
  );
}

/** Entries by map name. `cgroups` names the workloads that run here. */
export function generationEntries(plan: Plan, cgroups: CgroupIds): ReadonlyMap<string, Entries> {
  const { clusters: ranges, endpoints } = clusters(plan);
  return new Map<string, Entries>([
    ['weft_services', services(plan)],
    ['weft_clusters', ranges],
    ['weft_endpoints', endpoints],
    ['weft_routes', routes(plan)],
    [
      'weft_workloads',
      plan.workloads.flatMap((w) =>
        w.addresses.map((address) => [address.bytes, encodeU32(w.index)] as const),
      ),
    ],
    ['weft_cgroups', [...cgroups].map(([index, id]) => [encodeU64(id), encodeU32(index)] as const)],
    ['weft_identities', identities(plan)],
  ]);
}

/** Cgroups may be enrolled after the load, also under a new id after a restart. */
const SPARE_CGROUPS = 1024;

/** max_entries by map name; a map of no entries still has one. */
export function generationSizes(
  entries: ReadonlyMap<string, Entries>,
  sites: number,
): Readonly<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const [name, list] of entries) sizes[name] = Math.max(list.length, 1);
  sizes['weft_cursors'] = sizes['weft_clusters'] ?? 1;
  sizes['weft_cgroups'] = (sizes['weft_identities'] ?? 1) + SPARE_CGROUPS;
  sizes['weft_sites'] = sites + 1; // site 0: no policy spoke
  return sizes;
}
