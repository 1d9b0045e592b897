/** The chunk walker by units: lengths, refusals, cuts; its rules are those of the framer's chunks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHUNK_HEADER_MAX, TRAILERS_MAX } from '../../compiler/abi/index.js';
import { cut, describeBody, framing } from '../fuzz/wasm-frame.js';
import { latin } from '../fuzz/wasm-head.js';

const test = suite('chunk rules');

const rows: readonly (readonly [string, string])[] = [
  ['', 'incomplete'],
  ['0\r\n\r\n', '5 @5'],
  ['0\r\n\r', 'incomplete'],
  ['0\r\n\r\nGET /', '5 @5'],
  ['3\r\nabc\r\n0\r\n\r\n', '3+3 7 @13'],
  ['3\r\nabc\r\n2;x=y\r\n\r\n\r\n0\r\n\r\n', '3+3 9+2 7 @24'],
  ['1F4\r\n', '5+500 incomplete'],
  ['1f4\r\n', '5+500 incomplete'],
  ['000000000000001f\r\n', '18+31 incomplete'],
  ['1fffffffffffff\r\n', '16+9007199254740991 incomplete'],
  ['5;a="b;c ";\td=e \x80\r\n', '19+5 incomplete'],
  ['0;a\r\nA: b\r\nLong-Name: c d\r\n\r\n', '29 @29'],
  ['3\r\nabc0\r\n\r\n', '3+3 refused chunkEnd'],
  ['3\r\nabc\n0\r\n\r\n', '3+3 refused chunkEnd'],
  ['3\r\nabcx\n0\r\n\r\n', '3+3 refused chunkEnd'],
  ['3\r\nabc\rx0\r\n\r\n', '3+3 refused chunkEnd'],
  ['3\r\nabcd\r\n0\r\n\r\n', '3+3 refused chunkEnd'],
  ['\r\n0\r\n\r\n', 'refused chunkSize'],
  [' 0\r\n\r\n', 'refused chunkSize'],
  ['0 \r\n\r\n', 'refused chunkSize'],
  ['0 ;a\r\n\r\n', 'refused chunkSize'],
  ['0\n\r\n', 'refused bareLf'],
  ['0\r0\r\n', 'refused bareCr'],
  ['-1\r\n', 'refused chunkSize'],
  ['0x1\r\n', 'refused chunkSize'],
  ['1_0\r\n', 'refused chunkSize'],
  ['20000000000000\r\n', 'refused chunkOverflow'],
  ['00000000000000000\r\n', 'refused chunkOverflow'],
  ['1;\x7f\r\n', 'refused chunkControl'],
  ['0\r\nContent-Length: 1\r\n\r\n', 'refused trailerFraming'],
  ['0\r\nA:b\n\r\n', 'refused bareLf'],
  ['0\r\nA:b\0\r\n\r\n', 'refused valueControl'],
  ['0\r\n\tA:b\r\n\r\n', 'refused fold'],
  ['0\r\n\rA', 'refused bareCr'],
];
for (const [text, want] of rows)
  test(JSON.stringify(text), () => {
    const bytes = latin(text);
    assert.is(describeBody([bytes]), want);
    for (let at = 1; at < bytes.length; at++)
      assert.is(describeBody(cut(bytes, [at])), want, `cut at ${at}`);
    const each = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => i + 1);
    assert.is(describeBody(cut(bytes, each)), want, 'byte by byte');
  });

/** At once and in pieces: windows end elsewhere. */
function everyWay(text: string, want: string): void {
  const bytes = latin(text);
  for (const size of [bytes.length, 1, 100, 1024]) {
    const count = Math.ceil(bytes.length / size) - 1;
    const at = Array.from({ length: count }, (_, i) => (i + 1) * size);
    assert.is(describeBody(cut(bytes, at)), want, `pieces of ${size}`);
  }
}

test('the limits of headers and of trailers', () => {
  const header = (size: number): string => `1;${'x'.repeat(size - 4)}\r\n`;
  const trailers = (size: number): string =>
    `0\r\n${'A: b\r\n'.repeat(100)}C: ${'x'.repeat(size - 607)}\r\n\r\n`;
  everyWay(header(CHUNK_HEADER_MAX), `${CHUNK_HEADER_MAX}+1 incomplete`);
  everyWay(header(CHUNK_HEADER_MAX + 1), 'refused chunkLarge');
  everyWay('1;'.padEnd(2000), 'refused chunkLarge');
  // The CR LF of the chunk before is no part of a header.
  everyWay(`1\r\na\r\n${header(CHUNK_HEADER_MAX)}`, `3+1 ${CHUNK_HEADER_MAX + 2}+1 incomplete`);
  everyWay(trailers(TRAILERS_MAX), `${TRAILERS_MAX + 3} @${TRAILERS_MAX + 3}`);
  everyWay(trailers(TRAILERS_MAX + 1), 'refused trailersLarge');
});

test('after the last chunk a reader reads another body; after a refusal nothing', () => {
  const reader = framing.openChunkReader();
  const body = latin('2\r\nab\r\n0\r\nA: b\r\n\r\n');
  assert.is(describeBody([body], reader), '3+2 13 @18');
  assert.is(describeBody([body], reader), '3+2 13 @18');
  assert.is(describeBody([latin('x')], reader), 'refused chunkSize');
  assert.is(describeBody([body], reader), 'refused chunkSize');
});

test('a unit is told with the bytes that this call took', () => {
  const reader = framing.openChunkReader();
  assert.equal(reader.read(latin('1')), { status: 'incomplete', taken: 1 });
  const whole = { status: 'chunk', taken: 3, length: 4, data: 16 };
  assert.equal(reader.read(latin('0\r\n0123456789abcdef\r\n')), whole);
  assert.equal(reader.read(latin('\r\n0\r\n')), { status: 'incomplete', taken: 5 });
  assert.equal(reader.read(latin('\r\n')), { status: 'last', taken: 2, length: 7 });
});

test.run();
