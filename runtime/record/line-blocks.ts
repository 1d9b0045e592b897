/**
 * Cuts a stream of bytes into blocks of whole lines, in constant memory: a line that is longer than
 * a record may be is passed over, not kept.
 */

/** Longest line that is read. */
export const MAX_LINE_BYTES: number = 1024 * 1024;
/** Bytes that are read together: a thread's turn, some thousand records. */
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;
/** What some editors and shells begin a file of UTF-8 with. */
const MARK: Uint8Array = Uint8Array.of(0xef, 0xbb, 0xbf);

/** Whole lines, the last with or without its end. */
export interface LineBlock {
  readonly bytes: Uint8Array;
  /** Number of its first line, from 1. */
  readonly firstLine: number;
  readonly lines: number;
  /** Set where the block stands for one line that is too long, of which it has the beginning. */
  readonly tooLong?: true;
  /** The last line ends with the input and has no end of its own. */
  readonly open?: true;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/** What is left of a line that is passed over, for a message. */
const SHOWN_BYTES = 64;

/** Blocks of whole lines, in order. */
export async function* lineBlocks(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<LineBlock> {
  let parts: Uint8Array[] = [];
  let size = 0;
  let line = 1;
  let passing: Uint8Array | null = null;
  const take = (last: Uint8Array): Uint8Array => {
    const bytes = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    size = 0;
    const isMarked = line === 1 && MARK.every((byte, i) => bytes[i] === byte);
    return isMarked ? bytes.subarray(MARK.length) : bytes;
  };
  for await (const chunk of input) {
    let rest = chunk;
    while (rest.length > 0) {
      if (passing !== null) {
        const end = rest.indexOf(NEWLINE);
        if (end < 0) break;
        yield { bytes: passing, firstLine: line, lines: 1, tooLong: true };
        line += 1;
        passing = null;
        rest = rest.subarray(end + 1);
        continue;
      }
      const piece = rest.subarray(0, BLOCK_BYTES);
      rest = rest.subarray(piece.length);
      const end = piece.lastIndexOf(NEWLINE);
      if (end >= 0) {
        const bytes = take(piece.subarray(0, end + 1));
        const lines = countLines(bytes);
        yield { bytes, firstLine: line, lines };
        line += lines;
      }
      const tail = piece.subarray(end + 1);
      if (tail.length > 0) {
        // Copied: the chunk's memory may be used again.
        parts.push(tail.slice());
        size += tail.length;
      }
      if (size > MAX_LINE_BYTES) {
        passing = (parts[0] ?? tail).subarray(0, SHOWN_BYTES);
        parts = [];
        size = 0;
      }
    }
  }
  if (passing !== null) yield { bytes: passing, firstLine: line, lines: 1, tooLong: true };
  if (size > 0) yield { bytes: take(new Uint8Array(0)), firstLine: line, lines: 1, open: true };
}
