/**
 * What is known of the cluster, kept up to date: five kinds are followed. There is something to ask for once
 * each kind was listed whole; from then on there always is. Who asks puts a world together (cluster-world.ts).
 */
import { setMaxListeners } from 'node:events';
import type { ApiServer } from './api-server.js';
import { isEnrolled } from './cluster-world.js';
import { type FollowedList, followList, type ListKind, type Pauses } from './follow-list.js';
import type { PackedFacts } from './packed.js';
import { type NamespaceFacts, type NodeFacts, readNamespace, readNode } from './read-place.js';
import { type PodFacts, readPod } from './read-pod.js';
import { readService, readSlice, type ServiceFacts, type SliceFacts } from './read-service.js';

/** Pods of this node without a cgroup, or cgroups without a pod: looked for so often. */
const LOOK_MS = 1000;

export interface ClusterOptions {
  /** This node, as the cluster names it (`spec.nodeName`). */
  readonly node: string;
  /** The cgroups of this node's pods by uid, below the mount. */
  readonly cgroups: () => ReadonlyMap<string, string>;
  /** The world may be another one now. */
  readonly onChange: () => void;
  /** Something went wrong and is tried again. */
  readonly onFault: (error: unknown) => void;
  readonly pauses?: Pauses;
}

/** All that a world of this node is made of. */
export interface ClusterPicture {
  readonly facts: PackedFacts;
  /** The cgroups of this node's pods by uid, below the mount. */
  readonly cgroups: ReadonlyMap<string, string>;
}

export interface FollowedCluster extends AsyncDisposable {
  /** Of now, and kept up to date: to be used at once. Null before all was listed. */
  picture(): ClusterPicture | null;
  /** Resolves when there is a picture, or behind the end. */
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
  /** Pods of this node that are to be enrolled and have no cgroup yet, by uid; null: something has changed since. */
  #waiting: readonly string[] | null = null;

  constructor(server: ApiServer, options: ClusterOptions) {
    this.#options = options;
    // Each list, each request and each pause listens to it.
    setMaxListeners(0, this.#ending.signal);
    const list = <T extends object>(
      resource: string,
      group: string,
      kind: Pick<ListKind<T>, 'read' | 'isNear'>,
    ): FollowedList<T> =>
      followList(
        server,
        { resource, path: `${group}/${resource}`, ...kind },
        {
          options: { ...options, onChange: () => this.#change() },
          signal: this.#ending.signal,
        },
      );
    const [near, far] = [() => true, () => false];
    this.#lists = {
      pods: list('pods', '/api/v1', { read: readPod, isNear: ({ node }) => node === options.node }),
      nodes: list('nodes', '/api/v1', { read: readNode, isNear: far }),
      namespaces: list('namespaces', '/api/v1', { read: readNamespace, isNear: near }),
      services: list('services', '/api/v1', { read: readService, isNear: far }),
      slices: list('endpointslices', '/apis/discovery.k8s.io/v1', {
        ...{ read: readSlice, isNear: far },
      }),
    };
    this.listed = Promise.all(this.#all().map(({ listed }) => listed)).then(() => {
      this.#isListed = !this.#ending.signal.aborted;
      this.#change();
    });
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
  }

  picture(): ClusterPicture | null {
    if (!this.#isListed) return null;
    this.#cgroups = this.#options.cgroups();
    this.#waiting = null;
    const { pods, nodes, namespaces, services, slices } = this.#lists;
    const facts: PackedFacts = {
      ...{ pods: pods.items, nodes: nodes.items, namespaces: namespaces.items },
      ...{ services: services.items, slices: slices.items },
    };
    return { facts, cgroups: this.#cgroups };
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

  #all(): readonly FollowedList<object>[] {
    return Object.values(this.#lists);
  }

  #change(): void {
    this.#waiting = null;
    if (this.#isListed) this.#options.onChange();
  }

  /** Kubelet makes a cgroup without telling the API server: until each pod here has one, it is looked for. */
  #look(): void {
    if (!this.#isListed) return;
    this.#waiting ??= this.#listWaiting();
    if (this.#waiting.length === 0) return;
    const found = this.#options.cgroups();
    if (this.#waiting.some((uid) => found.has(uid))) this.#change();
  }

  #listWaiting(): readonly string[] {
    const { pods, namespaces } = this.#lists;
    const isWaiting = ({ uid }: PodFacts): boolean => !this.#cgroups.has(uid);
    return [...pods.near.values()]
      .filter((pod) => isWaiting(pod) && isEnrolled(pod, namespaces.near.get(`/${pod.namespace}`)))
      .map(({ uid }) => uid);
  }
}

/** Follows until it is disposed of. */
export function followCluster(server: ApiServer, options: ClusterOptions): FollowedCluster {
  return new Followed(server, options);
}
