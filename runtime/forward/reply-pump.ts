/**
 * Takes one reply from an upstream to a client: framed, so that its end is known, and no faster than
 * the client reads. A reply that only the connection's end ends is sent on in chunks, since the
 * client's own connection does not end with it.
 */
import type { ReplyFramer } from '../http/index.js';
import type { ByteQueue } from './byte-queue.js';
import type { ClientStream } from './client-stream.js';

export type ReplyEnd =
  /** Whole; the upstream can have another exchange unless it said otherwise. */
  | 'whole'
  | 'whole, last'
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

const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const CRLF = Buffer.from('\r\n');

function inChunks(head: Buffer): Buffer {
  const lines = head.toString('latin1').replace(/\r\n\r\n$/, '');
  return Buffer.from(`${lines}\r\nTransfer-Encoding: chunked\r\n\r\n`, 'latin1');
}

/** The rest of a reply to the end of its connection, in chunks. */
async function pumpToEnd({ queue, client }: ReplySource): Promise<ReplyEnd> {
  for (;;) {
    const data = queue.take();
    if (data.length > 0) {
      const size = Buffer.from(`${data.length.toString(16)}\r\n`);
      if (!(await client.write(Buffer.concat([size, data, CRLF])))) return 'client gone';
    } else if (queue.ended) {
      return (await client.write(LAST_CHUNK)) ? 'whole, last' : 'client gone';
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
  // A head is sent on when it is whole: how its reply ends may have to be said in it.
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
    const { head, between, headLength, close } = framer.state();
    if (event === 'refused') return begun ? 'cut' : 'nothing';
    if (event === 'closes') {
      if (held.length < headLength) return 'cut';
      const before = held.subarray(0, held.length - headLength);
      const whole = Buffer.concat([before, inChunks(held.subarray(before.length))]);
      return (await client.write(whole)) ? pumpToEnd(source) : 'client gone';
    }
    if (!head && !between) continue;
    if (!(await client.write(held))) return 'client gone';
    held = Buffer.alloc(0);
    begun ||= head;
    if (event === 'tunnels') return 'tunnel';
    if (event === 'done') return close ? 'whole, last' : 'whole';
  }
}
