/**
 * How many bytes of messages may lie between this program and its sockets, over all streams: two
 * thousand nodes are told of a bundle at once, and each copy of it waits in memory until its node reads.
 * A node that does not read holds its share for a moment only.
 */
import type { Clock } from './wire/index.js';

/** Bytes under way at once: some hundred bundles of the usual size. */
export const MAX_UNSENT_BYTES: number = 32 * 1024 * 1024;
/** After so long a message is no longer counted, in milliseconds: whoever reads gets it much sooner. */
const SHARE_MS = 1_000;

export interface SendGate {
  /** Resolves, in order, when so many bytes may be sent; answers with how to say that they are. */
  enter(bytes: number): Promise<() => void>;
}

/** A gate of so many bytes. A message that is larger passes alone. */
export function createSendGate(clock: Clock, limit: number = MAX_UNSENT_BYTES): SendGate {
  let unsent = 0;
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  function admit(): void {
    for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
      if (unsent > 0 && unsent + head.bytes > limit) return;
      waiting.shift();
      unsent += head.bytes;
      head.go();
    }
  }

  return {
    async enter(bytes) {
      await new Promise<void>((go) => {
        waiting.push({ bytes, go });
        admit();
      });
      let isOut = false;
      const leave = (): void => {
        if (isOut) return;
        isOut = true;
        forget();
        unsent -= bytes;
        admit();
      };
      const forget = clock.after(SHARE_MS, leave);
      return leave;
    },
  };
}
