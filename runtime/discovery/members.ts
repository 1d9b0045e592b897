/** Which workloads stand behind a cluster. */
import type { Cluster, Service, Workload, World } from './types.js';

/** True where the labels hold every pair of the selector; an empty selector holds for all. */
export function hasLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}

/** Workloads of the service's namespace that a cluster selects, in world order. */
export function clusterMembers(world: World, service: Service, cluster: Cluster): Workload[] {
  return world.workloads.filter(
    (w) => w.namespace === service.namespace && hasLabels(w.labels, cluster.selector),
  );
}

/** Workloads behind a service: those of any of its clusters, each once, in world order. */
export function serviceMembers(world: World, service: Service): Workload[] {
  return world.workloads.filter(
    (w) =>
      w.namespace === service.namespace &&
      service.clusters.some((cluster) => hasLabels(w.labels, cluster.selector)),
  );
}

/**
 * Name of the cluster that serves connections without a routing opinion: the only one of the
 * service, else `name/*`, which stands for the members of all.
 */
export function defaultClusterName(service: Service): string {
  const only = service.clusters.length === 1 ? service.clusters[0] : undefined;
  return only?.name ?? `${shortName(service.name)}/*`;
}

/** `reviews` of `reviews.prod`. */
export function shortName(name: string): string {
  return name.slice(0, name.indexOf('.'));
}
