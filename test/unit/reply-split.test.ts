/** Streams of replies and chunked bodies from a seed: pieces change nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chunkedBody, generateReplies, mutateBytes } from '../fuzz/generate-reply.js';
import { cut, describeBody, describeStream } from '../fuzz/wasm-frame.js';
import { latin } from '../fuzz/wasm-head.js';
import { Prng } from '../support/prng.js';

const test = suite('reply split');
const SEED = 0x5eed;
const STREAMS = 4000;

/** Cuts at random, near one another or far. */
function pieces(random: Prng, bytes: Uint8Array): Uint8Array[] {
  const step = random.pick([2, 20, 200, 2000]);
  const at: number[] = [];
  for (let next = random.below(step); next < bytes.length; next += 1 + random.below(step))
    at.push(next);
  return cut(bytes, at);
}

test(`${STREAMS} streams of replies`, () => {
  const random = new Prng(SEED);
  const ends = new Set<string>();
  for (let i = 0; i < STREAMS; i++) {
    const { asked, bytes } = generateReplies(random);
    const whole = describeStream([bytes], asked);
    ends.add(/(\w+)( in \d+| \w+)?$/.exec(whole)?.[1] ?? '');
    assert.is(describeStream(pieces(random, bytes), asked), whole, `seed ${SEED}, stream ${i}`);
  }
  assert.equal([...ends].sort(), ['cut', 'ended', 'idle', 'refused']);
});

test(`${STREAMS} chunked bodies: the walker and the framer agree, in any pieces`, () => {
  const random = new Prng(SEED);
  const head = latin('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let i = 0; i < STREAMS; i++) {
    const body = Array.from(chunkedBody(random), (c) => c.charCodeAt(0));
    if (random.oneIn(2)) mutateBytes(random, body);
    const bytes = Uint8Array.from(body);
    const whole = describeBody([bytes]);
    const message = `seed ${SEED}, body ${i}: ${whole}`;
    assert.is(describeBody(pieces(random, bytes)), whole, message);
    const replies = describeStream([head, bytes], 'get');
    const reason = /refused \w+/.exec(whole)?.[0];
    const end = /@(\d+)$/.exec(whole)?.[1];
    if (end !== undefined) assert.match(replies, `@${head.length + Number(end)}`, message);
    else assert.match(replies, reason ?? /^cut/, `${message} / ${replies}`);
  }
});

test.run();
