/**
 * The API server of a kubeconfig file: the client library reads it, with all that such files know of
 * users (certificates, tokens, commands that print them). It is loaded for such a file alone: importing it
 * takes more memory than everything else that an agent needs of Kubernetes.
 */
import type { RequestOptions } from 'node:https';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { type ApiServer, ask } from './api-server.js';
import { KubernetesError } from './kubernetes-error.js';

/** By the file's current context. Throws N104. */
export async function apiServerOfKubeconfig(file: string): Promise<ApiServer> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new KubernetesError('N104', `\`${file}\` cannot be read: ${reason}`, { cause });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new KubernetesError('N104', `\`${file}\` has no current context`);
  const { server } = cluster;
  return {
    name: server,
    async get(path, signal) {
      const options: RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(options);
      return ask(new URL(`${server}${path}`), options, signal);
    },
  };
}
