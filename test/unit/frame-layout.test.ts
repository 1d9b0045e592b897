/** compiler/abi/frame.ts and the C headers are one: structs and enums, by the object's BTF. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ASKED,
  ASKED_KIND,
  ASKED_MAX,
  CHUNK,
  CHUNK_HEADER_MAX,
  FRAME_EVENT,
  FRAME_REASON,
  LINES,
  REPLY,
  REPLY_FLAG,
  REPLY_HEAD_MAX,
  TRAILERS_MAX,
  WINDOW_MAX,
  WINDOW_SLACK,
} from '../../compiler/abi/index.js';
import { camelLayout, readHeaders, readLayouts } from '../support/c-twin.js';

const layouts = readLayouts('http/frame-harness.o');
const { enumeration, define } = readHeaders('http/lines.h', 'http/chunk.h', 'http/reply.h');

const test = suite('frame layout');

for (const [name, want] of Object.entries({
  weft_lines: LINES,
  weft_reply: REPLY,
  weft_chunk: CHUNK,
  weft_asked: ASKED,
}))
  test(`${name} is where the object has it`, () => {
    assert.equal(camelLayout(layouts.get(name)), want);
    assert.not.equal(camelLayout(layouts.get(name)), { ...want, size: want.size + 8 });
  });

test('what a connection keeps of its replies is a cache line', () => {
  assert.ok(REPLY.size <= 64);
});

test('enums are the header files’', () => {
  assert.equal(enumeration('weft_frame_event', 'WEFT_FRAME_'), FRAME_EVENT);
  assert.equal(enumeration('weft_frame_reason', 'WEFT_FRAME_'), FRAME_REASON);
  assert.equal(enumeration('weft_reply_flag', 'WEFT_REPLY_'), REPLY_FLAG);
  assert.equal(enumeration('weft_asked_kind', 'WEFT_ASKED_'), ASKED_KIND);
});

test('limits are the header files’', () => {
  assert.is(define('WEFT_WINDOW_MAX'), WINDOW_MAX);
  assert.is(define('WEFT_WINDOW_SLACK'), WINDOW_SLACK);
  assert.is(define('WEFT_ASKED_MAX'), ASKED_MAX);
  assert.is(define('WEFT_REPLY_HEAD_MAX'), REPLY_HEAD_MAX);
  assert.is(define('WEFT_CHUNK_HEADER_MAX'), CHUNK_HEADER_MAX);
  assert.is(define('WEFT_TRAILERS_MAX'), TRAILERS_MAX);
});

test.run();
