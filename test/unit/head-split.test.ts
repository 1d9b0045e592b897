/** A head that arrives in pieces: `incomplete` until it is whole, and then as if it had come at once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateHead } from '../fuzz/generate-head.js';
import { latin, wasmParser } from '../fuzz/wasm-head.js';
import { Prng } from '../support/prng.js';

const test = suite('head split');
const NAMES = ['x-team', 'cookie'];
const one = wasmParser(NAMES);
const other = wasmParser(NAMES);
const long = 'n-long-name-'.repeat(6);
const heads = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /a/../%41?b=%2e/.. HTTP/1.1\r\nHost: reviews.prod:80\r\nX-Team: blue\r\nX-Team: red\r\n\r\n',
  `PROPPATCH /${'p/'.repeat(40)}x HTTP/1.1\r\nHost:${' '.repeat(70)}a\r\n${long}: ${'v'.repeat(150)}\t${'w'.repeat(150)}\t\r\nContent-Length: 1234567890\r\n\r\n`,
  'POST http://a/b HTTP/1.1\r\nhost: A\r\nTransfer-Encoding: chunked\r\nConnection: foo, upgrade\r\nUpgrade: x\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nexpect: 100-continue\r\n\r\n',
];

for (const text of heads)
  test(`at each byte: ${text.slice(0, 30)}...`, () => {
    const bytes = latin(text);
    const whole = one.parse(bytes);
    assert.is(whole.status, 'ok');
    for (let at = 0; at < bytes.length; at++) {
      assert.is(other.parse(bytes.subarray(0, at)).status, 'incomplete', `first ${at} bytes`);
      assert.equal(other.parseMore(bytes), whole, `split at ${at}`);
    }
    assert.is(other.parse(new Uint8Array(0)).status, 'incomplete');
    for (let at = 1; at < bytes.length; at++)
      assert.is(other.parseMore(bytes.subarray(0, at)).status, 'incomplete', `byte by byte ${at}`);
    assert.equal(other.parseMore(bytes), whole, 'byte by byte');
  });

test('generated heads in random pieces', () => {
  const seed = 0x5eed;
  const random = new Prng(seed);
  for (let i = 0; i < 4000; i++) {
    const bytes = generateHead(random);
    const whole = one.parse(bytes);
    let at = random.below(bytes.length + 1);
    let answer = other.parse(bytes.subarray(0, at));
    while (answer.status === 'incomplete' && at < bytes.length) {
      at = Math.min(bytes.length, at + 1 + random.below(random.pick([2, 20, 200])));
      answer = other.parseMore(bytes.subarray(0, at));
    }
    assert.equal(answer, whole, `seed ${seed}, head ${i}`);
  }
});

test.run();
