/** The reply framer and the chunk walker of the build in WASM, as tests open them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type AskedKind,
  type ChunkReader,
  type Framing,
  openFraming,
  type ReplyFramer,
  type ReplyState,
} from '../../runtime/http/index.js';

export const framing: Framing = openFraming(
  readFileSync(fileURLToPath(new URL('../../http/frame.wasm', import.meta.url))),
);

/** What was asked, a word a request: `get`, or kinds joined by `+`. */
export function parseAsked(text: string): readonly (readonly AskedKind[])[] {
  const words = text.split(' ').filter((word) => word !== '');
  return words.map((word) => (word === 'get' ? [] : (word.split('+') as AskedKind[])));
}

function describeState(state: ReplyState): string {
  const words = [String(state.status), `head=${state.headLength}`];
  if (state.contentLength !== null) words.push(`length=${state.contentLength}`);
  for (const flag of ['chunked', 'body', 'close', 'interim'] as const)
    if (state[flag]) words.push(flag);
  return words.join(' ');
}

/** Cuts bytes at these offsets, which ascend. */
export function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at, bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/**
 * What becomes of a stream that comes in pieces: each reply with the offset of its end, then how it
 * stands. One line, which does not depend on the pieces.
 */
export function describeStream(
  pieces: readonly Uint8Array[],
  asked: string,
  framer: ReplyFramer = framing.openReplyFramer(),
): string {
  for (const kinds of parseAsked(asked))
    if (!framer.ask(...kinds)) throw new RangeError('too many requests');
  const words: string[] = [];
  let at = 0;
  let opened = false;
  for (const piece of pieces) {
    let rest = piece;
    while (rest.length > 0) {
      const { event, taken } = framer.frame(rest);
      at += taken;
      rest = rest.subarray(taken);
      if (event === 'refused') return [...words, `refused ${framer.state().reason}`].join(' | ');
      if (event === 'more' && rest.length > 0) throw new RangeError('something was left');
      if (event === 'done') words.push(`${describeState(framer.state())} @${at}`);
      if ((event === 'tunnels' || event === 'closes') && !opened) {
        words.push(`${describeState(framer.state())} ${event} @${at}`);
        opened = true;
      }
    }
  }
  const { head, left, status } = framer.state();
  const cutShort = framer.end();
  if (cutShort === 'refused') words.push(head && left > 0n ? `cut in ${status}` : 'cut');
  else words.push(cutShort === 'done' ? 'ended' : 'idle');
  return words.join(' | ');
}

/**
 * What becomes of a chunked body that comes in pieces: `head+data` of each unit, then how it ends
 * and the offset.
 */
export function describeBody(
  pieces: readonly Uint8Array[],
  reader: ChunkReader = framing.openChunkReader(),
): string {
  const words: string[] = [];
  let [at, skip] = [0, 0];
  for (const piece of pieces) {
    let rest = piece;
    while (rest.length > 0) {
      const over = Math.min(skip, rest.length);
      skip -= over;
      at += over;
      rest = rest.subarray(over);
      if (rest.length === 0) break;
      const step = reader.read(rest);
      at += step.taken;
      rest = rest.subarray(step.taken);
      if (step.status === 'refused') return [...words, `refused ${step.reason}`].join(' ');
      if (step.status === 'last') return [...words, `${step.length} @${at}`].join(' ');
      if (step.status === 'chunk') {
        words.push(`${step.length}+${step.data}`);
        skip = step.data;
      }
    }
  }
  return [...words, 'incomplete'].join(' ');
}
