/** A pod as a workload of the world: who it is, where it answers, and whether it may be asked. */
import type { V1Node, V1Pod } from '@kubernetes/client-node';

/** A workload as world.yaml writes it (runtime/schema/world.schema.json). */
export interface WorkloadFacts {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  readonly locality?: { readonly region?: string; readonly zone?: string };
  readonly node: string;
  readonly cgroup?: string;
  readonly healthy: boolean;
}

/** What kubelet names a static pod's cgroup by, instead of the uid that the API server gives. */
const CONFIG_HASH = 'kubernetes.io/config.hash';

/** The uid in the path of a pod's cgroup. */
export function uidInCgroup(pod: V1Pod): string | null {
  return pod.metadata?.annotations?.[CONFIG_HASH] ?? pod.metadata?.uid ?? null;
}

/**
 * The facts of a pod; null for one that has no address of its own: not scheduled, not started, ended,
 * or on the node's network, where an address does not tell whose it is.
 */
export function podWorkload(
  pod: V1Pod,
  node: V1Node | null,
  { trustDomain, cgroup }: { readonly trustDomain: string; readonly cgroup: string | null },
): WorkloadFacts | null {
  const { metadata, spec, status } = pod;
  const addresses = (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  if (metadata?.name === undefined || metadata.namespace === undefined) return null;
  if (spec?.nodeName === undefined || spec.hostNetwork === true || addresses.length === 0)
    return null;
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return null;
  const labels = node?.metadata?.labels ?? {};
  const region = labels['topology.kubernetes.io/region'];
  const zone = labels['topology.kubernetes.io/zone'];
  const isReady = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
  const hasPlace = region !== undefined || zone !== undefined;
  return {
    name: `${metadata.name}.${metadata.namespace}`,
    addresses,
    labels: metadata.labels ?? {},
    serviceAccount: spec.serviceAccountName ?? 'default',
    trustDomain,
    ...(hasPlace
      ? {
          locality: {
            ...(region === undefined ? {} : { region }),
            ...(zone === undefined ? {} : { zone }),
          },
        }
      : {}),
    node: spec.nodeName,
    ...(cgroup === null ? {} : { cgroup }),
    // A pod that is being deleted is asked no more.
    healthy: isReady === true && metadata.deletionTimestamp === undefined,
  };
}
