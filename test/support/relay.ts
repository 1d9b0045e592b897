/** A network between a client and a server of a test: it can fall silent without a word, and be slow. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

const TICK_MS = 20;

export interface Relay {
  readonly port: number;
  /** Nothing passes any more, in either direction, and no connection ends. */
  freeze(): void;
  /** What waits passes, and what comes. */
  thaw(): void;
  /** Of each connection and direction; Infinity: as fast as it goes. */
  pace(bytesPerSecond: number): void;
  /** Of bytes that passed, in both directions. */
  readonly passed: number;
  close(): Promise<void>;
}

/** `to`: a port of 127.0.0.1, or the path of a unix socket. */
export async function openRelay(to: number | string, listen: number | string = 0): Promise<Relay> {
  const sockets = new Set<Socket>();
  const waiting: (() => boolean)[] = [];
  let isFrozen = false;
  let rate = Number.POSITIVE_INFINITY;
  let passed = 0;

  function pipe(from: Socket, into: Socket): void {
    let isOver = false;
    from.pause();
    from.on('end', () => {
      isOver = true;
    });
    from.on('error', () => into.destroy());
    from.on('close', () => into.destroy());
    const step = (): boolean => {
      if (from.destroyed) return false;
      const isFree = rate === Number.POSITIVE_INFINITY;
      const share = Math.max(1, Math.floor((rate * TICK_MS) / 1000));
      const size = isFree ? from.readableLength : Math.min(from.readableLength, share);
      const part: Buffer | null = size === 0 ? from.read(0) : from.read(size);
      if (part !== null) {
        passed += part.length;
        into.write(part);
      }
      if (isOver && from.readableLength === 0) into.end();
      return true;
    };
    waiting.push(step);
  }

  const timer = setInterval(() => {
    if (isFrozen) return;
    for (const step of [...waiting]) if (!step()) waiting.splice(waiting.indexOf(step), 1);
  }, TICK_MS);
  const server: Server = createServer((near) => {
    const far = typeof to === 'number' ? dial(to, '127.0.0.1') : dial(to);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    pipe(near, far);
    pipe(far, near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof listen === 'number') server.listen(listen, '127.0.0.1', resolve);
    else server.listen(listen, resolve);
  });
  const at = server.address();
  return {
    port: typeof at === 'object' && at !== null ? at.port : 0,
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
    pace: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    get passed(): number {
      return passed;
    },
    async close() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
