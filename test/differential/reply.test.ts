/**
 * The reply framer and the chunk walker in the kernel and in WASM, on the same generated streams in
 * the same pieces: they agree on every reply, unit, offset and refusal.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chunkedBody, generateReplies, mutateBytes } from '../fuzz/generate-reply.js';
import { openKernelFraming } from '../fuzz/kernel-frame.js';
import { cut, describeBody, describeStream, framing } from '../fuzz/wasm-frame.js';
import { Prng } from '../support/prng.js';

const SEED = 0x4ead;
const STREAMS = 20_000;
const kernel = openKernelFraming();
const test = suite('reply');
test.after(() => kernel[Symbol.dispose]());

test('the verifier goes through each step a few times, not once for each state', () => {
  for (const program of ['reply', 'chunk'] as const) {
    const verified = kernel.verified(program);
    assert.ok(verified < 20_000, `${program}: ${verified}`);
  }
});

/** The end of a stream is told without the kernel. */
const withoutEnd = (text: string): string => text.replace(/(^| \| )(idle|cut.*|ended)$/, '');

function pieces(random: Prng, bytes: Uint8Array): Uint8Array[] {
  if (random.oneIn(2)) return [bytes];
  const step = random.pick([20, 200, 2000]);
  const at: number[] = [];
  for (let next = random.below(step); next < bytes.length; next += 1 + random.below(step))
    at.push(next);
  return cut(bytes, at);
}

test(`kernel and WASM agree on ${STREAMS} streams of replies`, () => {
  const random = new Prng(SEED);
  for (let i = 0; i < STREAMS; i++) {
    const { asked, bytes } = generateReplies(random);
    const want = describeStream([bytes], asked);
    const have = describeStream(pieces(random, bytes), asked, kernel.openReplyFramer());
    assert.is(withoutEnd(have), withoutEnd(want), `seed ${SEED}, stream ${i}`);
  }
});

test(`kernel and WASM agree on ${STREAMS} chunked bodies`, () => {
  const random = new Prng(SEED);
  for (let i = 0; i < STREAMS; i++) {
    const body = Array.from(chunkedBody(random), (c) => c.charCodeAt(0));
    if (random.oneIn(2)) mutateBytes(random, body);
    const bytes = Uint8Array.from(body);
    const want = describeBody([bytes], framing.openChunkReader());
    const have = describeBody(pieces(random, bytes), kernel.openChunkReader());
    assert.is(have, want, `seed ${SEED}, body ${i}`);
  }
});

test.run();
