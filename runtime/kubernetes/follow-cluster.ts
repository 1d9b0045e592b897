/**
 * The cluster as this node's world, kept up to date. Five kinds are followed; what they say is put together
 * when somebody asks. The first world is there once each kind was listed whole; from then on there is one.
 */
import { setMaxListeners } from 'node:events';
import type { World } from '../discovery/types.js';
import type { ApiServer } from './api-server.js';
import { type ClusterFacts, clusterWorld, isEnrolled } from './cluster-world.js';
import { type FollowedList, followList, type ListKind, type Pauses } from './follow-list.js';
import { KubernetesError } from './kubernetes-error.js';
import { Shared } from './raw.js';
import { type NamespaceFacts, type NodeFacts, readNamespace, readNode } from './read-place.js';
import { type PodFacts, readPod } from './read-pod.js';
import { readService, readSlice, type ServiceFacts, type SliceFacts } from './read-service.js';

/** Pods of this node without a cgroup, or cgroups without a pod: looked for so often. */
const LOOK_MS = 1000;

export interface ClusterOptions {
  /** This node, as the cluster names it (`spec.nodeName`). */
  readonly node: string;
  readonly trustDomain: string;
  /** The cgroups of this node's pods by uid, below the mount. */
  readonly cgroups: () => ReadonlyMap<string, string>;
  /** The world may be another one now. */
  readonly onChange: () => void;
  /** Something went wrong and is tried again, or is left out (N105). */
  readonly onFault: (error: unknown) => void;
  readonly pauses?: Pauses;
}

export interface FollowedCluster extends AsyncDisposable {
  /** Put together anew, and held by nobody here; null before all was listed. */
  world(): World | null;
  /** Resolves when there is a world, or behind the end. */
  readonly listed: Promise<void>;
  /** Why what is known may be old; null while it is not. */
  problem(): string | null;
}

class Followed implements FollowedCluster {
  readonly listed: Promise<void>;
  readonly #options: ClusterOptions;
  readonly #ending = new AbortController();
  readonly #lists: {
    readonly pods: FollowedList<PodFacts>;
    readonly nodes: FollowedList<NodeFacts>;
    readonly namespaces: FollowedList<NamespaceFacts>;
    readonly services: FollowedList<ServiceFacts>;
    readonly slices: FollowedList<SliceFacts>;
  };
  readonly #looking: NodeJS.Timeout;
  #cgroups: ReadonlyMap<string, string> = new Map();
  #isListed = false;
  #left = new Set<string>();

  constructor(server: ApiServer, options: ClusterOptions) {
    this.#options = options;
    // Each list, each request and each pause listens to it.
    setMaxListeners(0, this.#ending.signal);
    const shared = new Shared();
    const list = <T>(resource: string, group: string, read: ListKind<T>['read']): FollowedList<T> =>
      followList(
        server,
        { resource, path: `${group}/${resource}`, read },
        {
          options: { ...options, onChange: () => this.#change() },
          signal: this.#ending.signal,
        },
      );
    this.#lists = {
      pods: list('pods', '/api/v1', (raw) => readPod(raw, shared)),
      nodes: list('nodes', '/api/v1', (raw) => readNode(raw, shared)),
      namespaces: list('namespaces', '/api/v1', readNamespace),
      services: list('services', '/api/v1', readService),
      slices: list('endpointslices', '/apis/discovery.k8s.io/v1', readSlice),
    };
    this.listed = Promise.all(this.#all().map(({ listed }) => listed)).then(() => {
      this.#isListed = !this.#ending.signal.aborted;
      this.#change();
    });
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  world(): World | null {
    if (!this.#isListed) return null;
    this.#cgroups = this.#options.cgroups();
    const facts: ClusterFacts = {
      ...{ pods: this.#lists.pods.items, nodes: this.#lists.nodes.items },
      ...{ namespaces: this.#lists.namespaces.items, services: this.#lists.services.items },
      slices: this.#lists.slices.items,
    };
    const { world, left } = clusterWorld(facts, { ...this.#options, cgroups: this.#cgroups });
    for (const what of left)
      if (!this.#left.has(what)) this.#options.onFault(new KubernetesError('N105', what));
    this.#left = new Set(left);
    return world;
  }

  problem(): string | null {
    for (const { problem } of this.#all()) {
      const found = problem();
      if (found !== null) return found;
    }
    return this.#isListed ? null : 'the first list is not whole yet';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    this.#ending.abort();
    await Promise.all(this.#all().map(({ done }) => done));
  }

  #all(): readonly FollowedList<unknown>[] {
    return Object.values(this.#lists);
  }

  #change(): void {
    if (this.#isListed) this.#options.onChange();
  }

  /** Kubelet makes a cgroup without telling the API server: until each pod here has one, it is looked for. */
  #look(): void {
    if (!this.#isListed) return;
    const { pods, namespaces } = this.#lists;
    const waiting = [...pods.items.values()].filter(
      (pod) =>
        pod.node === this.#options.node &&
        !this.#cgroups.has(pod.uid) &&
        isEnrolled(pod, namespaces.items.get(`/${pod.namespace}`)),
    );
    if (waiting.length === 0) return;
    const found = this.#options.cgroups();
    if (waiting.some(({ uid }) => found.has(uid))) this.#change();
  }
}

/** Follows until it is disposed of. */
export function followCluster(server: ApiServer, options: ClusterOptions): FollowedCluster {
  return new Followed(server, options);
}
