/**
 * The pods of a cluster and this node, kept up to date over the API server's watch. The list and watch
 * protocol (resource versions, bookmarks, 410 Gone) is the client library's informer; here is when to
 * begin again after it gave up, and what the objects mean.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  CoreV1Api,
  type Informer,
  type KubeConfig,
  makeInformer,
  type ObjectCache,
  type V1Node,
  type V1Pod,
} from '@kubernetes/client-node';
import { podWorkload, uidInCgroup, type WorkloadFacts } from './pod-workload.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

export interface PodsOptions {
  /** This node, as the cluster names it (`spec.nodeName`). */
  readonly node: string;
  readonly trustDomain: string;
  /** The cgroups of this node's pods by uid, below the mount. */
  readonly cgroups: () => ReadonlyMap<string, string>;
  /** Called after each change, and when the first list is there. */
  readonly onChange: (workloads: readonly WorkloadFacts[]) => void;
  /** The API server is away or refuses: what was known stays. */
  readonly onFault: (error: unknown) => void;
}

/** Follows until `signal` aborts. Resolves then. */
export async function followPods(
  config: KubeConfig,
  options: PodsOptions,
  signal: AbortSignal,
): Promise<void> {
  const api = config.makeApiClient(CoreV1Api);
  const pods = makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
  // Where nodes are tells nothing but their labels, which a pod needs once: the list is small.
  const nodes = makeInformer(config, '/api/v1/nodes', () => api.listNode());
  let isListed = false;
  const tell = (): void => {
    if (isListed) options.onChange(workloads(pods, nodes, options));
  };
  const lists = [keepGoing(nodes, tell, options, signal), keepGoing(pods, tell, options, signal)];
  await Promise.all(lists.map(({ first }) => first));
  isListed = true;
  if (!signal.aborted) tell();
  await Promise.all(lists.map(({ done }) => done));
}

function workloads(
  pods: ObjectCache<V1Pod>,
  nodes: ObjectCache<V1Node>,
  { node, trustDomain, cgroups }: PodsOptions,
): WorkloadFacts[] {
  const own = cgroups();
  const known = new Map(nodes.list().map((found) => [found.metadata?.name, found]));
  return pods
    .list()
    .flatMap((pod) => {
      const nodeName = pod.spec?.nodeName;
      const uid = nodeName === node ? uidInCgroup(pod) : null;
      const cgroup = uid === null ? null : (own.get(uid) ?? null);
      const facts = podWorkload(pod, known.get(nodeName) ?? null, { trustDomain, cgroup });
      return facts === null ? [] : [facts];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Starts an informer, and again each time that it gives up. `first`: its first list is there. */
function keepGoing<T extends V1Pod | V1Node>(
  informer: Informer<T>,
  tell: () => void,
  { onFault }: PodsOptions,
  signal: AbortSignal,
): { readonly first: Promise<void>; readonly done: Promise<void> } {
  let failed: ((error: unknown) => void) | null = null;
  informer.on('change', tell);
  informer.on('error', (error) => failed?.(error));
  signal.addEventListener('abort', () => failed?.(null), { once: true });
  let listed = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    listed = resolve;
  });
  const run = async (): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const gaveUp = new Promise<unknown>((resolve) => {
        failed = resolve;
      });
      let hasFailed = false;
      void gaveUp.then(() => {
        hasFailed = true;
      });
      await informer.start();
      if (!hasFailed) {
        turn = 0;
        listed();
      }
      const error = await gaveUp;
      if (signal.aborted) break;
      onFault(error);
      await pause(turn, signal);
    }
    listed();
    await informer.stop();
  };
  return { first, done: run() };
}

async function pause(turn: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(turn, 10));
  const ms = longest * (0.5 + Math.random() / 2);
  await wait(ms, undefined, { signal }).catch(() => undefined);
}
