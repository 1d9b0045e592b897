/**
 * Loopback connections of the agent with itself: doors, and the socket that speaks to clients. The
 * near end's descriptor is known, since it goes into socket maps.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Kernel, OpenedStream } from '../kernel/index.js';

export interface Pair {
  readonly near: OpenedStream;
  readonly far: Socket;
}

const LOOPBACK = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]);
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

/**
 * Far ends read urgent bytes in line: clients may send some, and a door is free again once all that
 * went into it has come out.
 */
function listen(kernel: Kernel): Promise<Server> {
  const fd = kernel.bindLoopback();
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true });
    server.once('error', reject);
    server.listen({ fd, backlog: 1024 }, () => resolve(server));
  });
}

/** A connection whose far end is this server's; what anybody else opened is closed. */
async function connectPair(kernel: Kernel, server: Server): Promise<Pair> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const accepted: Socket[] = [];
  let wake: () => void = () => {};
  const take = (socket: Socket): void => {
    accepted.push(socket);
    wake();
  };
  server.on('connection', take);
  using own = kernel.openNamespace(OWN_NAMESPACE);
  const near = kernel.openStream(own, { address: LOOPBACK, port: 0 }, { address: LOOPBACK, port });
  try {
    await new Promise<void>((resolve, reject) => {
      near.socket.once('connect', resolve);
      near.socket.once('error', reject);
    });
    const isFar = (socket: Socket): boolean => socket.remotePort === near.socket.localPort;
    while (!accepted.some(isFar)) await new Promise<void>((resolve) => (wake = resolve));
    const [far] = accepted.filter(isFar);
    for (const other of accepted) if (other !== far) other.destroy();
    if (far === undefined) throw new RangeError('no far end');
    return { near, far };
  } finally {
    server.off('connection', take);
  }
}

/** Opens so many pairs. Rejects with the error of a connection that failed; then none is left. */
export async function openPairs(kernel: Kernel, count: number): Promise<readonly Pair[]> {
  const server = await listen(kernel);
  const pairs: Pair[] = [];
  try {
    while (pairs.length < count) {
      const pair = await connectPair(kernel, server);
      // Their ends are noticed where they are read or written.
      pair.near.socket.on('error', () => {});
      pair.far.on('error', () => {});
      pairs.push(pair);
    }
    return pairs;
  } catch (error) {
    closePairs(pairs);
    throw error;
  } finally {
    server.close();
  }
}

export function closePairs(pairs: readonly Pair[]): void {
  for (const { near, far } of pairs) {
    near.socket.destroy();
    far.destroy();
  }
}
