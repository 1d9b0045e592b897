/**
 * The Kubernetes cluster that this node is of, as its world: followed over the API server, and written
 * down for the loads whenever it is another one.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import {
  apiServerOfKubeconfig,
  apiServerOfPod,
  findPodCgroups,
  followCluster,
  isKubernetesError,
  KubernetesError,
} from '../kubernetes/index.js';
import type { KubernetesPlace } from './agent-options.js';
import { layPicture } from './keep-followed.js';
import { hasKeptWorld } from './kept-world.js';
import type { NodeParts } from './serve-node.js';
import type { StagedBundles } from './staged-bundles.js';

export interface NodeCluster extends AsyncDisposable {
  /** Told when the world may be another one. */
  onChange: () => void;
  /** Has the world written down; false where that changed nothing. Rejects with A031. */
  write(): Promise<boolean>;
  /** A world is written down, of now or of an earlier start; or the signal aborted. */
  first(signal: AbortSignal): Promise<void>;
  /** Why it may be an old one; null while it is not. */
  problem(): string | null;
}

/** Starts following. Throws N104. */
export async function openCluster(
  { paths, env, log }: NodeParts,
  { server: where, node, trustDomain }: KubernetesPlace,
  bundles: Pick<StagedBundles, 'keep'>,
): Promise<NodeCluster> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env.started.env;
  const server =
    where === 'in-cluster' ? apiServerOfPod({ host, port }) : await apiServerOfKubeconfig(where);
  const part = { part: 'kubernetes' };
  let written: string | null = null;
  let told = new Set<string>();
  const onFault = (error: unknown): void => {
    const message = messageOf(error);
    log('warn', message, isKubernetesError(error) ? { ...part, code: error.code } : part);
  };
  const followed = followCluster(server, {
    ...{ node, onFault, cgroups: () => findPodCgroups(paths.cgroups) },
    onChange: () => opened.onChange(),
  });
  const opened: NodeCluster = {
    onChange: () => {},
    async write() {
      const picture = followed.picture();
      if (picture === null) return false;
      const before = written;
      layPicture(paths, picture);
      const { digest, left } = await bundles.keep({ node, trustDomain, before });
      for (const what of left) if (!told.has(what)) onFault(new KubernetesError('N105', what));
      [written, told] = [digest, new Set(left)];
      return digest !== before;
    },
    async first(signal) {
      if (hasKeptWorld(paths)) return;
      log('info', `waits for the first list of ${server.name}`, part);
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        void followed.listed.then(resolve);
      });
      await opened.write();
    },
    problem: () => followed.problem(),
    [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
  };
  log('info', `${node} follows the cluster of ${server.name}`, part);
  return opened;
}
