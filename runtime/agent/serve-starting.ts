/**
 * The local API of an agent that has nothing to serve yet: its first bundle is on its way. Who asks is told
 * that this process is well and the node is not ready, and why; all else is for later.
 */
import { hostname } from 'node:os';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { type Api, type Checked, groupId, NotYet, READERS_GROUP, serveApi } from './api/index.js';
import type { NodeParts } from './serve-node.js';
import { nodeStatus } from './status.js';

function later(): never {
  throw new NotYet('no bundle is served here yet');
}

/** Until it is closed; `waitsFor`: what is to happen first, in words. Rejects with errors of the file system. */
export function serveStarting(
  { kernel, paths, env, log }: NodeParts,
  socket: string,
  waitsFor: () => string,
): Promise<Api> {
  const one = (name: string, detail: string | null): Checked['checks'][number] => ({
    ...{ name, ok: detail === null, detail },
  });
  return serveApi(socket, {
    peerOf: (fd) => kernel.peerOf(fd),
    readers: groupId(READERS_GROUP),
    status: async () => ({ agent: env.version, node: hostname(), ...nodeStatus(kernel, paths) }),
    health: () => ({ ok: true, checks: [one('starting', null)] }),
    ready: () => ({ ok: false, checks: [one('starting', waitsFor())] }),
    rules: async () => later(),
    metrics: async () => later(),
    follow: later,
    drain: async () => later(),
    rollback: async () => later(),
    onFault: (error) => log('error', messageOf(error)),
  });
}
