/**
 * The reply framer and the chunk walker beside llhttp, on generated streams: both see the same
 * replies end, with the same bodies, but for what reply-stricter.md lists.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REPLY_HEAD_MAX, TRAILERS_MAX } from '../../compiler/abi/index.js';
import type { ReplyState, ReplyStep } from '../../runtime/http/index.js';
import { chunkedBody, generateReplies, mutateBytes } from '../fuzz/generate-reply.js';
import { askLlhttpReplies, type LlhttpReplies, type LlhttpReply } from '../fuzz/llhttp.js';
import { framing, parseAsked } from '../fuzz/wasm-frame.js';
import { latin } from '../fuzz/wasm-head.js';
import { Prng } from '../support/prng.js';

const SEED = 0x4ead;
const STREAMS = 60_000;
const BODIES = 30_000;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const document = readFileSync(`${root}test/differential/reply-stricter.md`, 'utf8');
const stricter = new Set([...document.matchAll(/^\| `(\w+)` \|/gm)].map((m) => m[1] ?? ''));
const seen = new Set<string>();
const test = suite('reply beside llhttp');

interface Framed {
  readonly replies: readonly ReplyState[];
  /** Where the last call stopped. */
  readonly at: number;
  readonly event: ReplyStep['event'];
  readonly state: ReplyState;
}

function frame(bytes: Uint8Array, asked: string): Framed {
  const framer = framing.openReplyFramer();
  for (const kinds of parseAsked(asked)) framer.ask(...kinds);
  const replies: ReplyState[] = [];
  let at = 0;
  for (;;) {
    const { event, taken } = framer.frame(bytes.subarray(at));
    at += taken;
    if (event === 'done') replies.push(framer.state());
    else return { replies, at, event, state: framer.state() };
  }
}

/** The rows of `Read otherwise`. */
function isReadOtherwise({ headers }: LlhttpReply): boolean {
  const said = headers
    .filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'connection')
    .join()
    .toLowerCase();
  return said.includes('\t') || (/close/.test(said) && /keep-alive/.test(said));
}

/** Whether a reply of ours is one of llhttp's. */
function compare(ours: ReplyState, theirs: LlhttpReply, kinds: readonly string[]): void {
  assert.is(ours.status, theirs.status);
  // Of a reply without a body for its request llhttp says so before it knows of that.
  const bare = kinds.includes('head') && ours.contentLength === null && !ours.chunked;
  if (!bare && !isReadOtherwise(theirs)) assert.is(!ours.close, theirs.keepAlive);
  const values = (name: string): string[] =>
    theirs.headers.filter((_, i, all) => i % 2 === 1 && all[i - 1]?.toLowerCase() === name);
  assert.equal(ours.contentLength, values('content-length').map(BigInt)[0] ?? null);
  assert.is(ours.chunked, values('transfer-encoding').length > 0);
  if (!ours.body) assert.is(theirs.body, 0);
  else if (ours.contentLength !== null && theirs.ended)
    assert.is(BigInt(theirs.body), ours.contentLength);
}

/** The rows of `Wider`, by what is in the stream. */
function isWider(text: string, error: string): boolean {
  if (error === 'HPE_STRICT') return /(^|\n)[0-9a-f]+;[^\r\n]*/i.test(text);
  const interim = /HTTP\/1\.(0 1|1 1\d\d[\s\S]*?\r\nconnection:.*close)/i;
  const trailer = /0[^\r\n]*\r\n([^\r\n]+\r\n)*connection:.*close/i;
  return error === 'HPE_CLOSED_CONNECTION' && (interim.test(text) || trailer.test(text));
}

function compareAll(bytes: Uint8Array, asked: string, theirs: LlhttpReplies): 'both' | 'refused' {
  const ours = frame(bytes, asked);
  const kinds = parseAsked(asked);
  const text = Buffer.from(bytes).toString('latin1');
  if (ours.event === 'refused') {
    const reason = ours.state.reason ?? '';
    if (theirs.error === null) {
      assert.ok(stricter.has(reason), `not listed: ${reason}`);
      seen.add(reason);
    }
    return 'refused';
  }
  if (theirs.error !== null) {
    assert.ok(isWider(text, theirs.error), `not listed: ${theirs.error}`);
    return 'refused';
  }
  const ended = theirs.replies.filter((reply) => reply.ended && reply.status !== 101);
  const tunnel = ours.event === 'tunnels';
  assert.is(tunnel, theirs.tunnel);
  assert.is(
    ours.replies.length,
    theirs.tunnel && ended.at(-1) === theirs.replies.at(-1) ? ended.length - 1 : ended.length,
  );
  for (const [i, reply] of ours.replies.entries())
    compare(reply, theirs.replies[i] as LlhttpReply, kinds[i] ?? []);
  if (tunnel) assert.is(ours.state.status, theirs.replies.at(-1)?.status);
  if (ours.event === 'closes') assert.is(theirs.replies.at(-1)?.body, bytes.length - ours.at);
  return 'both';
}

/** What should not be left to chance: a row of the table each. */
const RARE: readonly (readonly [string, string])[] = [
  ['get', '\r\nHTTP/1.1 204 X\r\n\r\n'],
  ['get', `HTTP/1.1 204 X\r\n${`a:${' '.repeat(60)}\r\n`.repeat(REPLY_HEAD_MAX / 64)}\r\n`],
  ['get', 'HTTP/1.1 204 X\r\nConnection: close\r\n\r\n\r\n'],
  ['get', 'HTTP/1.1 204 O\0K\r\n\r\n'],
  ['get', 'HTTP/1.1 204 OK\r\rA: b\r\n\r\n'],
];

test(`${STREAMS} streams of replies`, () => {
  const random = new Prng(SEED);
  let both = 0;
  for (let i = 0; i < STREAMS + RARE.length; i++) {
    const rare = RARE[i - STREAMS];
    const { asked, bytes } =
      rare === undefined ? generateReplies(random) : { asked: rare[0], bytes: latin(rare[1]) };
    const theirs = askLlhttpReplies(bytes, parseAsked(asked));
    try {
      if (compareAll(bytes, asked, theirs) === 'both') both++;
    } catch (error) {
      const stream = JSON.stringify(Buffer.from(bytes).toString('latin1'));
      const where = `seed ${SEED}, stream ${i}: ${asked}: ${stream} ${JSON.stringify(theirs)}`;
      throw new Error(where, { cause: error });
    }
  }
  assert.ok(both > STREAMS / 3, `${both} taken by both`);
});

const HEAD = latin('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
const RARE_BODIES: readonly string[] = [
  '00000000000000003\r\nabc\r\n0\r\n\r\n',
  '20000000000000\r\nabc',
  `3;${'x'.repeat(300)}\r\nabc\r\n0\r\n\r\n`,
  `0\r\nA: ${'x'.repeat(TRAILERS_MAX)}\r\n\r\n`,
  '0\r\nTransfer-Encoding: x\r\n\r\n',
];

/** The walker over a body: bytes of data, and where it ended. */
function walk(bytes: Uint8Array): { data: number; end: number | null; reason: string | null } {
  const reader = framing.openChunkReader();
  let [at, data] = [0, 0];
  while (at < bytes.length) {
    const step = reader.read(bytes.subarray(at));
    at += step.taken;
    if (step.status === 'refused') return { data, end: null, reason: step.reason };
    if (step.status === 'last') return { data, end: at, reason: null };
    if (step.status === 'chunk') {
      data += Math.min(step.data, bytes.length - at);
      at += step.data;
    }
  }
  return { data, end: null, reason: null };
}

test(`${BODIES} chunked bodies`, () => {
  const random = new Prng(SEED);
  let both = 0;
  for (let i = 0; i < BODIES + RARE_BODIES.length; i++) {
    const body = Array.from(RARE_BODIES[i - BODIES] ?? chunkedBody(random), (c) => c.charCodeAt(0));
    if (i < BODIES && random.oneIn(2)) mutateBytes(random, body);
    const bytes = Uint8Array.from(body);
    const ours = walk(bytes);
    const sent = bytes.subarray(0, ours.end ?? bytes.length);
    const { replies, error } = askLlhttpReplies(Buffer.concat([HEAD, sent]), [[]]);
    const text = Buffer.from(bytes).toString('latin1');
    const message = `seed ${SEED}, body ${i}: ${JSON.stringify(text)} ${JSON.stringify(ours)} ${error}`;
    if (ours.reason !== null) {
      if (error !== null) continue;
      assert.ok(stricter.has(ours.reason), message);
      seen.add(ours.reason);
    } else if (error !== null) {
      assert.ok(isWider(text, error), message);
    } else {
      assert.is(replies[0]?.ended, ours.end !== null, message);
      assert.is(replies[0]?.body, ours.data, message);
      both++;
    }
  }
  assert.ok(both > BODIES / 3, `${both} taken by both`);
});

test('every row of the table occurred', () => {
  assert.equal(
    [...stricter].filter((reason) => !seen.has(reason)),
    [],
  );
});

test.run();
