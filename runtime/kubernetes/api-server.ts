/**
 * How the API server is asked: GET over HTTPS, by whoever runs in a pod (address from the environment,
 * certificate and token from the files that kubelet mounts) or by a kubeconfig file. Both files of a pod
 * are read anew for each request: kubelet renews them, and a request is a list or a watch of minutes.
 */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { KubernetesError } from './kubernetes-error.js';

/** From asking to the head of the answer. */
const HEAD_MS = 30_000;
/** A connection that the network dropped silently is found by probes of the kernel. */
const PROBE_MS = 15_000;

export interface ApiServer {
  /** Where it is, for people. */
  readonly name: string;
  /** The answer, whatever its status; its body is open. Throws N101, N104; AbortError behind the signal. */
  get(path: string, signal: AbortSignal): Promise<IncomingMessage>;
}

/** Sends one request. Throws N101. */
export function ask(
  url: URL,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip', ...options.headers };
    const asked = send(url, { ...options, headers, method: 'GET', signal });
    const overdue = new Error(`no answer within ${HEAD_MS / 1000} s`);
    const late = setTimeout(() => asked.destroy(overdue), HEAD_MS);
    asked.on('socket', (socket) => socket.setKeepAlive(true, PROBE_MS));
    asked.once('response', (response) => {
      clearTimeout(late);
      resolve(response);
    });
    asked.on('error', (cause) => {
      clearTimeout(late);
      if (signal.aborted) reject(cause);
      else reject(new KubernetesError('N101', `\`${url.host}\`: ${cause.message}`, { cause }));
    });
    asked.end();
  });
}

/** Where kubelet mounts what a pod is known by. */
const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface PodPlace {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly folder?: string;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new KubernetesError('N104', `\`${path}\` cannot be read: ${reason}`, { cause });
  }
}

/** The API server as a pod finds it. Throws N104 outside of one. */
export function apiServerOfPod({ host, port, folder = MOUNTED }: PodPlace): ApiServer {
  if (host === undefined || port === undefined) {
    throw new KubernetesError('N104', 'KUBERNETES_SERVICE_HOST is not set: this is no pod');
  }
  const base = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  let agent = new Agent({ keepAlive: true });
  let trusted = '';
  return {
    name: base,
    async get(path, signal) {
      const ca = read(join(folder, 'ca.crt'));
      const token = read(join(folder, 'token')).trim();
      if (ca !== trusted) {
        // Connections that the old certificates vouched for end with what is asked over them.
        agent.destroy();
        agent = new Agent({ keepAlive: true, ca });
        trusted = ca;
      }
      const headers = { authorization: `Bearer ${token}` };
      return ask(new URL(`${base}${path}`), { agent, headers }, signal);
    },
  };
}
