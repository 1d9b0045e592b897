/**
 * Reads a BPF ring buffer through libbpf's mapping of it. Records are copied while the ring is
 * drained and delivered afterwards, so that a callback may throw or use the kernel freely.
 */
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { KernelMap, RingReader } from './types.js';

// A busy producer must not keep one drain going for ever.
const DRAIN_LIMIT = 65536;
/** struct epoll_event, packed on x86-64 and padded elsewhere. */
const EPOLL_EVENT = 16;
const STOP = -125; // -ECANCELED: libbpf has consumed the record and ends the round

/** Opens a reader of a ring buffer map; throws KernelError. */
export function ringReader(native: Native, map: KernelMap): RingReader {
  const waiting: Uint8Array[] = [];
  let most = DRAIN_LIMIT;
  const callback = native.sampleCallback((data, size) => {
    waiting.push(native.copy(data, size));
    return waiting.length >= most ? STOP : 0;
  });
  const what = `cannot read ring buffer \`${map.name}\``;
  let ring: bigint | null = null;
  try {
    const { result, warnings } = native.listen(() =>
      native.ring_new(map.fd, callback.pointer, null, null),
    );
    if (result === null)
      throw callError('ring_buffer__new', native.errno(), what, { details: warnings });
    ring = result;
  } catch (error) {
    callback.free();
    throw error;
  }
  const epollFd = native.ring_epoll_fd(ring);
  const event = stable(EPOLL_EVENT);
  let underway: Promise<void> | null = null;
  return {
    epollFd,
    waiting: (milliseconds) => {
      // One at a time, else each call takes another thread.
      underway ??= new Promise<void>((resolve) => {
        native.epollWaitLater(epollFd, event, milliseconds, resolve);
      }).finally(() => {
        underway = null;
      });
      return underway;
    },
    drain: (onRecord, limit = DRAIN_LIMIT) => {
      if (ring === null) return 0;
      most = Math.min(limit, DRAIN_LIMIT);
      const result = native.ring_consume(ring);
      if (result < 0 && result !== STOP) throw callError('ring_buffer__consume', -result, what);
      let delivered = 0;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        delivered++;
        onRecord(next);
      }
      return delivered;
    },
    [Symbol.dispose]: () => {
      if (ring === null) return;
      native.ring_free(ring);
      ring = null;
      callback.free();
    },
  };
}
