/**
 * A plan as the contents of a generation's maps: pure bytes, so that the maps can be sized before
 * the load and compared in tests. Policies of a workload or service are masks over the bundle.
 */
import { encodeHeaderNames, REFUSALS } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import {
  NO_CLUSTER,
  type Plan,
  type PlanCluster,
  type PlanEndpoint,
  PROTOCOL,
} from '../discovery/index.js';
import {
  clusterIndex,
  encodeCluster,
  encodeEndpoint,
  encodeIdentity,
  encodeMember,
  encodeReplies,
  encodeRoute,
  encodeService,
  encodeServiceKey,
  encodeU32,
  encodeU64,
  NONE,
  SERVICE_FLAG,
} from './layout.js';
import { judgesRequests } from './sockops.js';

export type Entries = readonly (readonly [Uint8Array, Uint8Array])[];

/** Maps that only generations have which judge requests. */
export function isRequestMap(name: string): boolean {
  return name === 'weft_names' || name === 'weft_replies';
}

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

function keyText(address: string, port: number): string {
  return `${address} ${port}`;
}

function services(plan: Plan, asksRequests: boolean): Entries {
  return plan.services.flatMap((service) =>
    service.frontends.map(
      ({ address, port, protocol, cluster, http }) =>
        [
          encodeServiceKey({ address: address.bytes, port, protocol }),
          encodeService({
            service: service.index,
            cluster,
            policies: service.policies,
            flags: http && asksRequests ? SERVICE_FLAG.http : 0,
          }),
        ] as const,
    ),
  );
}

/**
 * Members of HTTP services under their own addresses: who goes to one directly is judged for each
 * request too, and never routed.
 */
function directs(plan: Plan): Entries {
  const frontends = plan.services.flatMap((service) => service.frontends);
  const taken = new Set(frontends.map((f) => keyText(f.address.text, f.port)));
  const flags = SERVICE_FLAG.http | SERVICE_FLAG.direct;
  const value = encodeService({ service: NONE, cluster: NONE, policies: 0n, flags });
  const own = plan.httpMembers.filter((m) => !taken.has(keyText(m.address.text, m.port)));
  return own.map(({ address, port }) => [
    encodeServiceKey({ address: address.bytes, port, protocol: PROTOCOL.tcp }),
    value,
  ]);
}

/** Which endpoints a cluster has. */
function members(plan: Plan): Entries {
  const found = new Map<string, readonly [Uint8Array, Uint8Array]>();
  for (const { index, v4, v6 } of plan.clusters) {
    for (const { address, port } of [...v4, ...v6]) {
      const key = encodeMember(index, address.bytes, port);
      found.set(`${index} ${keyText(address.text, port)}`, [key, encodeU32(1)]);
    }
  }
  return [...found.values()];
}

/** Route 0 is no opinion, and never looked up. */
function routes(plan: Plan, manifest: FillManifest): Entries {
  let reply = REFUSALS.length;
  const numbered = manifest.routes.map((route, i) => {
    if (route.kind === 'reply') return encodeRoute('reply', reply++);
    const cluster = plan.routes[i] ?? NO_CLUSTER;
    const isPlain = route.kind === 'cluster' && route.edits.length === 0;
    return encodeRoute(isPlain ? 'cluster' : 'agent', cluster < 0 ? NONE : cluster);
  });
  return [encodeRoute('cluster', NONE), ...numbered].map((value, i) => [encodeU32(i), value]);
}

/** Refusals, then what routes answer; each stands twice: see encodeReplies. */
function replies({ refusals, routes }: FillManifest): Entries {
  const answers = routes.flatMap((route) => (route.kind === 'reply' ? [route.reply] : []));
  const ready = [...REFUSALS.map((name) => refusals[name]), ...answers].flatMap(encodeReplies);
  return ready.map((value, i) => [encodeU32(i), value] as const);
}

/**
 * Has a connection of this workload to prove that its requests are judged? Not of one that another node
 * judges: only of what is enrolled here, or could be (of a world of one node, or with a cgroup that is
 * here), and of what the world says is judged nowhere.
 */
function hasToProve({ index, workload }: Plan['workloads'][number], cgroups: CgroupIds): boolean {
  if (workload.enrolled === false) return true;
  return workload.cgroup !== null && (workload.node === null || cgroups.has(index));
}

function identities(plan: Plan, cgroups: CgroupIds): Entries {
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
          here: hasToProve(w, cgroups),
        }),
      ] as const,
  );
}

/** What the maps take from a bundle. */
export type FillManifest = Pick<Manifest, 'policies' | 'headers' | 'refusals' | 'routes'>;

/** Entries by map name. `cgroups` names the workloads that run here. */
export function generationEntries(
  plan: Plan,
  cgroups: CgroupIds,
  manifest: FillManifest,
): ReadonlyMap<string, Entries> {
  const { clusters: ranges, endpoints } = clusters(plan);
  const asksRequests = judgesRequests(manifest);
  return new Map<string, Entries>([
    ['weft_services', [...services(plan, asksRequests), ...(asksRequests ? directs(plan) : [])]],
    ['weft_members', asksRequests ? members(plan) : []],
    ...(asksRequests
      ? ([
          ['weft_names', [[encodeU32(0), encodeHeaderNames(manifest.headers)]]],
          ['weft_replies', replies(manifest)],
        ] as const)
      : []),
    ['weft_clusters', ranges],
    ['weft_endpoints', endpoints],
    ['weft_routes', routes(plan, manifest)],
    [
      'weft_workloads',
      plan.workloads.flatMap((w) =>
        w.addresses.map((address) => [address.bytes, encodeU32(w.index)] as const),
      ),
    ],
    ['weft_cgroups', [...cgroups].map(([index, id]) => [encodeU64(id), encodeU32(index)] as const)],
    ['weft_identities', identities(plan, cgroups)],
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
