/**
 * Requests in what comes through a door: their heads, and their bodies as they go on. Counts what was
 * taken, since a client is given back only when all of it was.
 */
import { HEAD_MAX } from '../../compiler/abi/index.js';
import type { Framing, Head, HeadParser, ParsedHead } from '../http/index.js';
import type { ByteQueue } from './byte-queue.js';

const TOO_LARGE = 431;

export type RequestHead =
  | { readonly ok: true; readonly head: Head; readonly sent: Buffer }
  | { readonly ok: false; readonly status: number };

export interface RequestReader {
  /** Bytes taken so far, modulo 2^32. */
  readonly taken: number;
  /** The next head, taken; null where no more comes. `isOver` ends a wait that was woken. */
  head(isOver: () => boolean): Promise<RequestHead | null>;
  /** Hands the body that follows to `take`, piece by piece; false where it does not come whole. */
  body(
    head: Head,
    take: (part: Uint8Array) => Promise<void>,
    isOver: () => boolean,
  ): Promise<boolean>;
  /** Takes whatever waits. */
  rest(): Buffer;
}

export function requestReader(
  queue: ByteQueue,
  parser: HeadParser,
  framing: Framing,
): RequestReader {
  let taken = 0;
  const take = (count: number): Buffer => {
    const bytes = Buffer.from(queue.bytes.subarray(0, count));
    queue.drop(bytes.length);
    taken = (taken + bytes.length) >>> 0;
    return bytes;
  };

  /** Waits for more than there is; false where none comes. */
  const more = async (isOver: () => boolean): Promise<boolean> => {
    const have = queue.bytes.length;
    while (queue.bytes.length === have) {
      if (queue.ended || isOver()) return false;
      await queue.more(have);
    }
    return true;
  };

  const ofLength = async (
    left: bigint,
    give: (part: Uint8Array) => Promise<void>,
    isOver: () => boolean,
  ): Promise<boolean> => {
    for (let rest = left; rest > 0n; ) {
      if (queue.bytes.length === 0 && !(await more(isOver))) return false;
      const count = Number(rest < BigInt(queue.bytes.length) ? rest : queue.bytes.length);
      await give(take(count));
      rest -= BigInt(count);
    }
    return true;
  };

  const inChunks = async (
    give: (part: Uint8Array) => Promise<void>,
    isOver: () => boolean,
  ): Promise<boolean> => {
    const chunks = framing.openChunkReader();
    for (;;) {
      if (queue.bytes.length === 0 && !(await more(isOver))) return false;
      const step = chunks.read(queue.bytes);
      await give(take(step.taken));
      if (step.status === 'refused') return false;
      if (step.status === 'last') return true;
      if (step.status === 'chunk' && !(await ofLength(BigInt(step.data), give, isOver))) {
        return false;
      }
    }
  };

  return {
    get taken(): number {
      return taken;
    },
    head: async (isOver) => {
      for (;;) {
        const parsed: ParsedHead =
          queue.bytes.length === 0 ? { status: 'incomplete' } : parser.parse(queue.bytes);
        if (parsed.status === 'ok') return { ok: true, head: parsed, sent: take(parsed.length) };
        if (parsed.status === 'refused') return { ok: false, status: parsed.code };
        if (queue.bytes.length >= HEAD_MAX) return { ok: false, status: TOO_LARGE };
        if (!(await more(isOver))) return null;
      }
    },
    body: async (head, give, isOver) => {
      if (head.chunked) return inChunks(give, isOver);
      return ofLength(head.contentLength ?? 0n, give, isOver);
    },
    rest: () => take(queue.bytes.length),
  };
}
