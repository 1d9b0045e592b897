/** Finds the cluster that a policy names, in short form (in its scope) or in full form. */
import type { Attachment } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic, type Position } from '../../compiler/diagnostic/index.js';
import { didYouMean } from '../schema/index.js';
import { shortName } from './members.js';
import { attachedServices } from './policy-targets.js';
import type { Cluster, Service, World } from './types.js';

export interface ResolvedCluster {
  readonly ok: true;
  readonly service: Service;
  readonly cluster: Cluster;
}
export interface UnresolvedCluster {
  readonly ok: false;
  readonly diagnostic: Diagnostic;
}

function fullName(service: Service, cluster: Cluster): string {
  return `${service.name}/${cluster.name.slice(cluster.name.indexOf('/') + 1)}`;
}

function unresolved(
  code: string,
  message: string,
  at: Position | null,
  help: string | null,
): UnresolvedCluster {
  return { ok: false, diagnostic: diagnostic(code, message, { at, help }) };
}

/**
 * Resolves `reviews/v1` among the services that the policy is attached to, or `reviews.prod/v1`
 * among all. Refuses with W120 where no such cluster exists and W121 where several do.
 */
export function resolveCluster(
  world: World,
  name: string,
  scope: readonly Attachment[],
  at: Position | null = null,
): ResolvedCluster | UnresolvedCluster {
  const slash = name.indexOf('/');
  const isFull = name.slice(0, slash < 0 ? undefined : slash).includes('.');
  const services = isFull ? world.services : attachedServices(world, scope);
  const all = services.flatMap((service) =>
    service.clusters.map((cluster) => ({ ok: true as const, service, cluster })),
  );
  const nameOf = (c: ResolvedCluster): string =>
    isFull ? fullName(c.service, c.cluster) : c.cluster.name;
  const found = all.filter((c) => nameOf(c) === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (found.length > 1) {
    const candidates = found.map((c) => `\`${fullName(c.service, c.cluster)}\``).join(', ');
    const message = `the cluster \`${name}\` is ambiguous: ${candidates}`;
    return unresolved('W121', message, at, 'write one of the full names');
  }
  const where = isFull ? 'the world' : 'a service that this policy is attached to';
  const elsewhere = world.services.find((s) => s.clusters.some((c) => c.name === name));
  const help =
    elsewhere === undefined
      ? didYouMean(name, all.map(nameOf))
      : `attach the policy to \`${elsewhere.name}\`, or write \`${elsewhere.name}${name.slice(name.indexOf('/'))}\``;
  return unresolved('W120', `no cluster \`${name}\` of ${where}`, at, help);
}

/** True where a cluster's name is its service's short name, `/` and a subset; `*` is the default's. */
export function isClusterOf(service: string, cluster: string): boolean {
  const prefix = `${shortName(service)}/`;
  const subset = cluster.slice(prefix.length);
  return cluster.startsWith(prefix) && subset !== '' && subset !== '*';
}
