/**
 * The Kubernetes cluster that this node is of, as its world: followed over the API server, and written
 * down for the loads whenever it is another one.
 */
import {
  apiServerOfKubeconfig,
  apiServerOfPod,
  findPodCgroups,
  followCluster,
  isKubernetesError,
} from '../kubernetes/index.js';
import type { KubernetesPlace } from './agent-options.js';
import { hasKeptWorld, keepWorld } from './kept-world.js';
import type { NodeParts } from './serve-node.js';

export interface NodeCluster extends AsyncDisposable {
  /** Told when the world may be another one. */
  onChange: () => void;
  /** Writes the world down; false where that changed nothing. Throws A031. */
  write(): boolean;
  /** A world is written down, of now or of an earlier start; or the signal aborted. */
  first(signal: AbortSignal): Promise<void>;
  /** Why it may be an old one; null while it is not. */
  problem(): string | null;
}

/** Starts following. Throws N104. */
export async function openCluster(
  { paths, env, log }: NodeParts,
  { server: where, node, trustDomain }: KubernetesPlace,
): Promise<NodeCluster> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env.started.env;
  const server =
    where === 'in-cluster' ? apiServerOfPod({ host, port }) : await apiServerOfKubeconfig(where);
  const part = { part: 'kubernetes' };
  let written: string | null = null;
  const followed = followCluster(server, {
    ...{ node, trustDomain, cgroups: () => findPodCgroups(paths.cgroups) },
    onChange: () => opened.onChange(),
    onFault: (error) => {
      const message = error instanceof Error ? error.message : String(error);
      log('warn', message, isKubernetesError(error) ? { ...part, code: error.code } : part);
    },
  });
  const opened: NodeCluster = {
    onChange: () => {},
    write() {
      const world = followed.world();
      if (world === null) return false;
      const before = written;
      written = keepWorld(paths, world, before);
      return written !== before;
    },
    async first(signal) {
      if (hasKeptWorld(paths)) return;
      log('info', `waits for the first list of ${server.name}`, part);
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        void followed.listed.then(resolve);
      });
      opened.write();
    },
    problem: () => followed.problem(),
    [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
  };
  log('info', `${node} follows the cluster of ${server.name}`, part);
  return opened;
}
