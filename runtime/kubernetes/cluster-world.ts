/**
 * A cluster as a world. Pods are workloads, services are services with one cluster of all that their
 * selector matches and one for each subset, and endpoints that are no pods (a service without a selector) are
 * workloads that nobody knows more of than their address. What the world cannot say is left out and told.
 */
import { formatAddress } from '../discovery/index.js';
import type { Address, Cluster, Service, Workload, World } from '../discovery/types.js';
import { ENROLLED, type NamespaceFacts, type NodeFacts } from './read-place.js';
import type { PodFacts } from './read-pod.js';
import {
  type EndpointFacts,
  portKey,
  type ServiceFacts,
  type ServicePortFacts,
  type SliceFacts,
  SUBSETS,
} from './read-service.js';

/** Each by `namespace/name`. */
export interface ClusterFacts {
  readonly pods: ReadonlyMap<string, PodFacts>;
  readonly nodes: ReadonlyMap<string, NodeFacts>;
  readonly namespaces: ReadonlyMap<string, NamespaceFacts>;
  readonly services: ReadonlyMap<string, ServiceFacts>;
  readonly slices: ReadonlyMap<string, SliceFacts>;
}

export interface WorldOptions {
  /** This node, as the cluster names it. */
  readonly node: string;
  readonly trustDomain: string;
  /** The cgroups of this node's pods by uid, below the mount. */
  readonly cgroups: ReadonlyMap<string, string>;
}

export interface ClusterWorld {
  readonly world: World;
  /** What was left out, in words. */
  readonly left: readonly string[];
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

/** Is the pod in the mesh? Its own label counts before its namespace's. */
export function isEnrolled(pod: PodFacts, namespace: NamespaceFacts | undefined): boolean {
  const own = pod.labels[ENROLLED];
  return own === undefined ? (namespace?.isEnrolled ?? true) : own !== 'false';
}

/** What endpoints that are no pods carry for each service that they stand behind. */
function memberLabel(service: string): string {
  return `service.weft.dev/${service}`;
}

class Builder {
  readonly left: string[] = [];
  readonly workloads: Workload[] = [];
  readonly #names = new Set<string>();
  readonly #addresses = new Map<string, string>();
  /** Pods of one node share what is said of its place. */
  readonly #places = new Map<string, Workload['locality']>();
  readonly #facts: ClusterFacts;
  readonly #options: WorldOptions;

  constructor(facts: ClusterFacts, options: WorldOptions) {
    [this.#facts, this.#options] = [facts, options];
  }

  /** Addresses that nobody has yet: one address is one workload's. */
  #own(addresses: readonly Address[], name: string): readonly Address[] {
    return addresses.filter(({ text }) => {
      const owner = this.#addresses.get(text);
      if (owner === undefined) this.#addresses.set(text, name);
      else if (owner !== name) this.left.push(`\`${text}\` of \`${name}\` is that of \`${owner}\``);
      return owner === undefined;
    });
  }

  /** Names of workloads have one dot. */
  #name(name: string, namespace: string, other: string): string {
    const plain = `${name.replaceAll('.', '-')}.${namespace}`;
    const free = this.#names.has(plain)
      ? `${name.replaceAll('.', '-')}-${other}.${namespace}`
      : plain;
    this.#names.add(free);
    return free;
  }

  #place(node: string): Workload['locality'] {
    const known = this.#places.get(node);
    if (known !== undefined) return known;
    const facts = this.#facts.nodes.get(`/${node}`);
    const place = { region: facts?.region ?? null, zone: facts?.zone ?? null };
    this.#places.set(node, place);
    return place;
  }

  pod(pod: PodFacts): void {
    const enrolled = isEnrolled(pod, this.#facts.namespaces.get(`/${pod.namespace}`));
    const isHere = enrolled && pod.node === this.#options.node;
    const name = this.#name(pod.name, pod.namespace, pod.uid);
    const addresses = this.#own(pod.addresses, name);
    if (addresses.length === 0) return;
    this.workloads.push({
      ...{ name, namespace: pod.namespace, addresses, labels: pod.labels },
      ...{ serviceAccount: pod.serviceAccount, trustDomain: this.#options.trustDomain },
      locality: this.#place(pod.node),
      ...{ node: pod.node, enrolled, healthy: pod.isReady, weight: 1, at: null },
      cgroup: isHere ? (this.#options.cgroups.get(pod.uid) ?? null) : null,
    });
  }

  /** Endpoints of services without selectors: one workload an address, behind all services that name it. */
  endpoints(slices: readonly SliceFacts[]): void {
    const found = new Map<string, { endpoint: EndpointFacts; behind: SliceFacts[] }>();
    for (const slice of slices)
      for (const endpoint of slice.endpoints)
        for (const address of endpoint.addresses) {
          const key = `${slice.namespace} ${address.text}`;
          const known = found.get(key) ?? {
            endpoint: { ...endpoint, addresses: [address] },
            behind: [],
          };
          known.behind.push(slice);
          found.set(key, known);
        }
    for (const { endpoint, behind } of found.values()) this.#endpoint(endpoint, behind);
  }

  #endpoint({ addresses, isReady, zone }: EndpointFacts, behind: readonly SliceFacts[]): void {
    const [slice] = behind;
    const [address] = addresses;
    if (slice === undefined || address === undefined) return;
    const host = formatAddress(address.bytes).replaceAll(/[.:]+/g, '-');
    const name = this.#name(`${slice.service}-${host}`, slice.namespace, 'endpoint');
    const own = this.#own(addresses, name);
    if (own.length === 0) return;
    this.workloads.push({
      ...{ name, namespace: slice.namespace, addresses: own },
      labels: Object.fromEntries(behind.map(({ service }) => [memberLabel(service), ''])),
      ...{ serviceAccount: null, trustDomain: this.#options.trustDomain },
      locality: { region: null, zone },
      ...{ node: null, cgroup: null, enrolled: false, healthy: isReady, weight: 1, at: null },
    });
  }

  service(service: ServiceFacts, slices: readonly SliceFacts[]): Service {
    const { name, namespace, addresses, selector } = service;
    const full = `${name}.${namespace}`;
    const all = selector ?? { [memberLabel(name)]: '' };
    if (service.subsets === null) this.left.push(`\`${SUBSETS}\` of \`${full}\` is no JSON`);
    const subsets = Object.entries(service.subsets ?? {}).map(([subset, labels]): Cluster => {
      return { name: `${name}/${subset}`, selector: { ...all, ...labels } };
    });
    return {
      ...{ name: full, namespace, addresses, balance: 'round-robin', at: null },
      ports: service.ports.flatMap((port) => this.#port(full, port, slices) ?? []),
      clusters: [
        { name: `${name}/all`, selector: all },
        ...subsets.filter((cluster) => cluster.name !== `${name}/all`),
      ],
    };
  }

  #port(
    service: string,
    { name, port, protocol, target }: ServicePortFacts,
    slices: readonly SliceFacts[],
  ): Service['ports'][number] | null {
    const key = portKey(name, protocol === 'udp' ? 'udp' : 'tcp');
    const told = new Set(slices.flatMap(({ ports }) => ports[key] ?? []));
    if (told.size > 1) {
      const numbers = [...told].join(' and ');
      this.left.push(`port ${port} of \`${service}\` leads to ${numbers}, by pod`);
      return null;
    }
    const [only = typeof target === 'number' ? target : null] = told;
    // A name that no slice resolves yet: nobody serves it.
    return only === null ? null : { port, target: only, protocol };
  }
}

/** The world that the facts make; the same facts make the same world. */
export function clusterWorld(facts: ClusterFacts, options: WorldOptions): ClusterWorld {
  const builder = new Builder(facts, options);
  for (const pod of sorted(facts.pods)) builder.pod(pod);
  const slices = sorted(facts.slices);
  builder.endpoints(slices);
  const behind = new Map<string, SliceFacts[]>();
  for (const slice of slices) {
    const key = `${slice.namespace}/${slice.service}`;
    behind.set(key, [...(behind.get(key) ?? []), slice]);
  }
  const services = [...facts.services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, service]) => builder.service(service, behind.get(key) ?? []));
  const world: World = { file: null, services, workloads: builder.workloads };
  return { world, left: builder.left };
}
