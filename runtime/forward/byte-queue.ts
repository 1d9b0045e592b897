/**
 * What a socket received and nobody took yet. Takes from the socket only as much as is asked for and
 * a little more, so that TCP holds the sender back.
 */
import type { Socket } from 'node:net';

/** Bytes that wait here before the socket is left alone. */
const HIGH_WATER = 256 * 1024;

export class ByteQueue {
  readonly socket: Socket;
  /** Called when something comes, or the end, while nobody waits for it. */
  onActivity: () => void = () => {};
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #failed = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? data : Buffer.concat([this.#bytes, data]);
      if (this.#bytes.length >= HIGH_WATER) socket.pause();
      this.#notify();
    });
    const end = (): void => {
      this.#ended = true;
      this.#notify();
    };
    socket.on('end', end);
    socket.on('close', end);
    // `close` follows.
    socket.on('error', () => {
      this.#failed ||= !this.#ended;
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    if (wake === null) this.onActivity();
    else wake();
  }

  /** What waits; not to be changed. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Nothing comes any more after what waits. */
  get ended(): boolean {
    return this.#ended;
  }

  /** It ended by an error, not as the sender wanted it. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Forgets the first bytes of what waits. */
  drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    if (this.#bytes.length < HIGH_WATER && this.socket.isPaused()) this.socket.resume();
  }

  /** Takes all that waits. */
  take(): Buffer {
    const bytes = this.#bytes;
    this.drop(bytes.length);
    return bytes;
  }

  /** Resolves once more came than `beyond` bytes, or the end, or `wake` was called. */
  async more(beyond = 0): Promise<void> {
    if (this.#bytes.length > beyond || this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Ends a wait early; the waiter looks at what it was told meanwhile. */
  wake(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Writes and resolves once the socket has taken it, or has closed: then false. */
export async function writeAll(socket: Socket, bytes: Uint8Array): Promise<boolean> {
  if (socket.destroyed || !socket.writable) return false;
  if (bytes.length === 0 || socket.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
  return !socket.destroyed;
}
