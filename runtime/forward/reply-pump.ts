/**
 * Takes one reply from an upstream to a client: framed, so that its end is known, and no faster than
 * the client reads.
 */
import type { ReplyFramer } from '../http/index.js';
import type { ByteQueue } from './byte-queue.js';
import type { ClientStream } from './client-stream.js';

export type ReplyEnd =
  /** Whole; the upstream can have another exchange unless it said otherwise. */
  | 'whole'
  | 'whole, last'
  /** Whole, and nothing but the end of the connection says so: the client's has to end too. */
  | 'ends'
  /** 101, or 2xx to CONNECT: the head was sent on, what follows is no HTTP. */
  | 'tunnel'
  /** The upstream died before the first byte of a final reply was sent on. */
  | 'nothing'
  /** It died, or said what is no reply, in the middle. */
  | 'cut'
  | 'client gone';

export interface ReplySource {
  readonly queue: ByteQueue;
  readonly framer: ReplyFramer;
  readonly client: ClientStream;
  /** Bytes of this reply have reached the client before. */
  readonly begun: boolean;
}

/** The rest of a reply to the end of its connection. */
async function pumpToEnd({ queue, client }: ReplySource): Promise<ReplyEnd> {
  for (;;) {
    const data = queue.take();
    if (data.length > 0) {
      if (!(await client.write(data))) return 'client gone';
    } else if (queue.ended) {
      return queue.failed ? 'cut' : 'ends';
    } else {
      await queue.more();
      if (client.isOver) return 'client gone';
    }
  }
}

/** Pumps until the reply ends, one way or another. */
export async function pumpReply(source: ReplySource): Promise<ReplyEnd> {
  const { queue, framer, client } = source;
  let { begun } = source;
  // A head is sent on when it is whole: till then another reply may take its place.
  let held = Buffer.alloc(0);
  for (;;) {
    if (client.isOver) return 'client gone';
    if (queue.bytes.length === 0) {
      if (queue.ended) return begun ? 'cut' : 'nothing';
      await queue.more();
      continue;
    }
    const { event, taken } = framer.frame(queue.bytes);
    held = Buffer.concat([held, queue.bytes.subarray(0, taken)]);
    queue.drop(taken);
    const { head, between, close } = framer.state();
    if (event === 'refused') return begun ? 'cut' : 'nothing';
    if (!head && !between) continue;
    if (!(await client.write(held))) return 'client gone';
    held = Buffer.alloc(0);
    begun ||= head;
    if (event === 'closes') return pumpToEnd(source);
    if (event === 'tunnels') return 'tunnel';
    if (event === 'done') return close ? 'whole, last' : 'whole';
  }
}
