/**
 * The way from the agent to a client: into the receive queue of its own socket, behind what is there.
 * TCP does not hold the agent back there, so it looks before each piece how much the client has not
 * read, and waits. One writer at a time.
 */
import type { ClientId } from './layout.js';
import type { NodeWords } from './node-words.js';
import { until } from './pause.js';

/** Unread bytes, as the kernel accounts them, above which a client is left to read first. */
const MEMORY_LIMIT = 262144;
const PIECE = 64 * 1024;

export interface ClientStream {
  readonly client: ClientId;
  /** Set by whoever noticed that the client is gone, or that it must go; ends every wait. */
  isOver: boolean;
  /** Resolves once the client's queue has it all; false where the client is gone. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Resolves once the client has read everything; false where it is gone. */
  drained(): Promise<boolean>;
  /** True where it was found gone. */
  isGone(): boolean;
}

/**
 * Opens the way. `isTurn` says when the first byte may come: once all that the client was sent
 * otherwise is complete (that it was read is looked after here).
 */
export function clientStream(
  words: NodeWords,
  agent: number,
  client: ClientId,
  isTurn: () => boolean,
): ClientStream {
  let isFirst = true;
  let gone = false;
  const stream: ClientStream = {
    client,
    isOver: false,
    isGone: () => gone || words.probe(client) === null,
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const has = await until(
          () => {
            const probe = words.probe(client);
            gone = probe === null;
            if (probe === null) return true;
            if (probe.redirects > 0 || probe.memory > MEMORY_LIMIT) return false;
            if (isFirst && (probe.unread > 0 || !isTurn())) return false;
            const taken = words.inject(agent, client.cookie, bytes.subarray(at, at + PIECE));
            at += taken;
            if (taken > 0) isFirst = false;
            return taken > 0;
          },
          () => stream.isOver,
        );
        if (!has || gone) return false;
      }
      return true;
    },
    drained: () =>
      until(
        () => {
          const probe = words.probe(client);
          gone = probe === null;
          return probe === null || (probe.memory === 0 && probe.redirects === 0);
        },
        () => stream.isOver,
      ).then((read) => read && !gone),
  };
  return stream;
}
