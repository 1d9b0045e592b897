/**
 * Cuts the entries of a HAR document out of a stream of its bytes, one JSON text each, so that a
 * capture of any length is read in the memory of one entry, and one that was cut short up to the cut.
 */

/** Longest entry that is read: bodies stand in it. */
export const MAX_ENTRY_BYTES: number = 64 * 1024 * 1024;

export type HarPart =
  | { readonly kind: 'entry'; readonly bytes: Uint8Array; readonly line: number }
  | { readonly kind: 'tooLong'; readonly line: number }
  /** The document ended: within something, or without a list of entries. */
  | { readonly kind: 'end'; readonly line: number; readonly cut: boolean; readonly found: boolean };

const BYTE = { newline: 10, quote: 34, comma: 44, open: 91, escape: 92, close: 93 } as const;
const BRACE = { open: 123, close: 125 } as const;
/** `entries` stands in `log`, which stands in the document. */
const KEY_DEPTH = 2;
const KEY = 'entries';

/** The entries of `log.entries`, in order, then how the document ended. */
export async function* harEntries(
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<HarPart> {
  let [depth, line, entryLine] = [0, 1, 1];
  let [inText, escaped, inEntries, found, tooLong] = [false, false, false, false, false];
  let text = '';
  let parts: Uint8Array[] | null = null;
  let size = 0;
  const keep = (piece: Uint8Array): void => {
    size += piece.length;
    if (size > MAX_ENTRY_BYTES) {
      tooLong = true;
      parts = [];
    } else parts?.push(piece.slice());
  };
  for await (const chunk of input) {
    let start = 0; // of what is to be kept
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i];
      if (byte === BYTE.newline) line += 1;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BYTE.escape) escaped = true;
        else if (byte === BYTE.quote) inText = false;
        else if (!inEntries && text.length <= KEY.length) text += String.fromCharCode(byte ?? 0);
        continue;
      }
      if (byte === BYTE.quote) {
        inText = true;
        text = '';
      } else if (byte === BRACE.open || byte === BYTE.open) {
        if (byte === BYTE.open && depth === KEY_DEPTH && text === KEY && !found) {
          inEntries = true;
          found = true;
        } else if (inEntries && depth === KEY_DEPTH + 1) {
          parts = [];
          size = 0;
          tooLong = false;
          start = i;
          entryLine = line;
        }
        depth += 1;
      } else if (byte === BRACE.close || byte === BYTE.close) {
        depth -= 1;
        if (inEntries && depth === KEY_DEPTH) inEntries = false;
        if (inEntries && depth === KEY_DEPTH + 1 && parts !== null) {
          keep(chunk.subarray(start, i + 1));
          if (tooLong) yield { kind: 'tooLong', line: entryLine };
          else yield { kind: 'entry', bytes: Buffer.concat(parts), line: entryLine };
          parts = null;
        }
      } else if (byte === BYTE.comma) text = '';
    }
    if (parts !== null) keep(chunk.subarray(start));
  }
  yield { kind: 'end', line, cut: depth > 0 || inText, found };
}
