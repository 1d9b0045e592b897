/**
 * A connection that the agent opened to an endpoint: inside the client workload's network namespace
 * and from its address, so that the server sees the workload.
 */
import type { NetworkNamespace } from '../kernel/index.js';
import { ByteQueue } from './byte-queue.js';
import type { Name, PoolKey } from './layout.js';
import type { NodeWords } from './node-words.js';

const CONNECT_MS = 5000;

export interface Upstream {
  readonly key: PoolKey;
  readonly fd: number;
  readonly cookie: bigint;
  readonly queue: ByteQueue;
  /** Its number in the kernel's maps once it is pooled, and its slot in the pool. */
  index: number | null;
  slot: number;
  /** The agent uses it; else it is idle or lent by the kernel. */
  isOurs: boolean;
}

/**
 * Connects; null where that is refused or takes too long. Rejects with KernelError where it cannot even
 * begin: the address or the namespace has gone, or this process may not.
 */
export async function connectUpstream(
  words: Pick<NodeWords, 'kernel' | 'vouch' | 'unvouch'>,
  namespace: NetworkNamespace,
  from: Name,
  key: PoolKey,
): Promise<Upstream | null> {
  const own = { address: from.address, port: 0 };
  const { socket, fd, cookie } = words.kernel.openStream(namespace, own, key.endpoint);
  words.vouch(cookie); // the first SYN leaves when this turn of the event loop is over
  const connected = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), CONNECT_MS);
    const end = (is: boolean): void => {
      clearTimeout(timer);
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
  words.unvouch(cookie);
  if (!connected) {
    socket.on('error', () => {});
    socket.destroy();
    return null;
  }
  socket.setNoDelay(true);
  const queue = new ByteQueue(socket);
  return { key, fd, cookie, queue, index: null, slot: 0, isOurs: true };
}

/** True where nothing was said out of turn and the connection is open. */
export function isReusable({ queue }: Upstream): boolean {
  return !queue.ended && queue.bytes.length === 0 && queue.socket.writable;
}
