/**
 * The way from the agent to a client: into the receive queue of its own socket, behind what is there.
 * TCP does not hold the agent back there, so it looks before each piece how much the client has not
 * read, and waits. What waits is kept here up to a limit, so that who writes can go on with the
 * client's next request: a client may send many before it reads anything.
 */
import type { ClientId, Probe } from './layout.js';
import type { NodeWords } from './node-words.js';
import { until } from './pause.js';

/** Unread bytes, as the kernel accounts them, above which a client is left to read first. */
const MEMORY_LIMIT = 262144;
/** Bytes that wait here for that, or for their turn, before the writer waits too. */
const WAITING_LIMIT = 65536;
const PIECE = 64 * 1024;

export interface ClientStream {
  readonly client: ClientId;
  /** Set by whoever noticed that the client is gone, or that it must go; ends every wait. */
  isOver: boolean;
  /** Bytes that were written so far. */
  readonly written: number;
  /** Resolves once little waits; rejects where they could not be handed to the kernel; false where the client is gone. One writer at a time. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Resolves once the client's queue has all that was written; false where the client is gone. */
  flushed(): Promise<boolean>;
  /** The same of what the kernel redirected: nothing is on its way any more. */
  arrived(): Promise<boolean>;
  /** Resolves once the client has read everything; false where it is gone. */
  drained(): Promise<boolean>;
}

/** Has TCP all before a number? It may have a FIN besides. Replies are counted on their way to it. */
function has({ received }: Probe, expected: number): boolean {
  return ((received - expected) | 0) >= 0;
}

/**
 * Opens the way. `turn` says when the first byte may come: where TCP is once it has all that the client was
 * sent otherwise (that it was read is looked after here), null before; without it that is now.
 */
export function clientStream(
  words: NodeWords,
  agent: number,
  client: ClientId,
  turn: (() => number | null) | null,
): ClientStream {
  let isFirst = true;
  let gone = false;
  let waiting: Uint8Array[] = [];
  let size = 0;
  let written = 0;
  let fault: unknown = null;
  let sending: Promise<boolean> = Promise.resolve(true);
  const isOver = (): boolean => stream.isOver;

  /** Bytes that the client's queue took; 0 where it is not to have more now, or is gone. */
  const send = (bytes: Uint8Array, from: number): number => {
    // Before the look at the socket: what is complete after that look may not have been read.
    const expected = isFirst && turn !== null ? turn() : null;
    const probe = words.probe(client);
    gone = probe === null;
    if (probe === null) return 0;
    if (probe.redirects > 0 || probe.memory > MEMORY_LIMIT) return 0;
    if (isFirst && probe.unread > 0) return 0;
    if (isFirst && turn !== null && (expected === null || !has(probe, expected))) return 0;
    const taken = words.inject(agent, client.cookie, bytes.subarray(from, from + PIECE));
    if (taken > 0) isFirst = false;
    return taken;
  };

  const sendWaiting = async (): Promise<boolean> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const bytes = next;
      for (let at = 0; at < bytes.length; ) {
        let taken = 0;
        const has = await until(() => {
          taken = send(bytes, at);
          return taken > 0 || gone;
        }, isOver);
        if (!has || gone) {
          waiting = [];
          size = 0;
          return false;
        }
        at += taken;
        size -= taken;
      }
    }
    return true;
  };

  /** Whoever waits for it is told of a fault. */
  const sendAll = async (): Promise<boolean> => {
    try {
      return await sendWaiting();
    } catch (error) {
      fault = error;
      gone = true;
      return false;
    }
  };
  const orFault = (has: boolean): boolean => {
    if (fault !== null) throw fault;
    return has;
  };

  /** Resolves once all is sent and the socket is as it should be; false where it is gone. */
  const becomes = async (is: (probe: Probe) => boolean): Promise<boolean> => {
    if (!orFault(await sending)) return false;
    const done = await until(() => {
      const probe = words.probe(client);
      gone = probe === null;
      return probe === null || is(probe);
    }, isOver);
    return done && !gone;
  };

  const stream: ClientStream = {
    client,
    isOver: false,
    get written(): number {
      return written;
    },
    write: async (bytes) => {
      if (orFault(gone) || stream.isOver) return false;
      const isIdle = size === 0;
      waiting.push(bytes);
      size += bytes.length;
      written += bytes.length;
      if (isIdle) sending = sendAll();
      const has = await until(() => gone || size <= WAITING_LIMIT, isOver);
      return orFault(has && !gone);
    },
    flushed: async () => orFault(await sending),
    arrived: () => becomes(({ redirects }) => redirects === 0),
    drained: () => becomes(({ redirects, memory }) => redirects === 0 && memory === 0),
  };
  return stream;
}
