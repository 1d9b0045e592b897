/**
 * What the policies of a bundle are attached to, as one mask a workload (who is asked to
 * authorize connections that go there) and one a service (who is asked to route connections to it).
 *
 * An attach item is a conjunction, the list a disjunction. `namespace` holds for workloads and
 * services, `*` for those of all namespaces; `workload` for workloads with all of the labels; `service` for the service of that name
 * and the workloads behind it.
 */
import type { Attachment, PolicyEntry } from '../../compiler/bundle/manifest.js';
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { hasLabels, serviceMembers } from './members.js';
import type { Service, Workload, World } from './types.js';

export interface PolicyTargets {
  /** By position in world.workloads: policies that authorize connections or requests. */
  readonly workloads: readonly bigint[];
  /** By position in world.services: policies that route connections or requests. */
  readonly services: readonly bigint[];
  readonly diagnostics: readonly Diagnostic[];
}

function isIn(namespace: string, { namespace: wanted }: Attachment): boolean {
  return wanted === undefined || wanted === '*' || wanted === namespace;
}

/** Services that an attach list names. */
export function attachedServices(world: World, attach: readonly Attachment[]): Service[] {
  return world.services.filter((service) =>
    attach.some(
      (item) =>
        item.workload === undefined &&
        isIn(service.namespace, item) &&
        (item.service === undefined || item.service === service.name),
    ),
  );
}

/** Workloads that an attach list names. */
export function attachedWorkloads(world: World, attach: readonly Attachment[]): Workload[] {
  const found = new Set<Workload>();
  for (const item of attach) {
    const service = world.services.find((s) => s.name === item.service);
    const behind = item.service === undefined ? world.workloads : [];
    for (const workload of service === undefined ? behind : serviceMembers(world, service)) {
      if (!isIn(workload.namespace, item)) continue;
      if (item.workload !== undefined && !hasLabels(workload.labels, item.workload)) continue;
      found.add(workload);
    }
  }
  return world.workloads.filter((workload) => found.has(workload));
}

type Attached = Pick<PolicyEntry, 'index' | 'name' | 'attach' | 'exports'>;

function unmatched(world: World, policy: Attached): Diagnostic[] {
  return policy.attach
    .filter(
      (item) =>
        attachedWorkloads(world, [item]).length === 0 &&
        attachedServices(world, [item]).length === 0,
    )
    .map((item) =>
      diagnostic(
        'W122',
        `the attachment \`${JSON.stringify(item)}\` of policy \`${policy.name}\` matches nothing in the world`,
        { severity: 'warning' },
      ),
    );
}

/** Computes the masks; an attach item that matches nothing is a warning (W122). */
export function policyTargets(world: World, policies: readonly Attached[]): PolicyTargets {
  const workloads = new Map<Workload, bigint>();
  const services = new Map<Service, bigint>();
  const diagnostics: Diagnostic[] = [];
  for (const policy of policies) {
    const bit = 1n << BigInt(policy.index);
    const { exports } = policy;
    if (exports.includes('authorizeConnection') || exports.includes('authorizeRequest')) {
      for (const workload of attachedWorkloads(world, policy.attach)) {
        workloads.set(workload, (workloads.get(workload) ?? 0n) | bit);
      }
    }
    if (exports.includes('routeConnection') || exports.includes('routeRequest')) {
      for (const service of attachedServices(world, policy.attach)) {
        services.set(service, (services.get(service) ?? 0n) | bit);
      }
    }
    diagnostics.push(...unmatched(world, policy));
  }
  return {
    workloads: world.workloads.map((workload) => workloads.get(workload) ?? 0n),
    services: world.services.map((service) => services.get(service) ?? 0n),
    diagnostics,
  };
}
