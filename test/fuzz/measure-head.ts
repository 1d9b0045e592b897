/**
 * What the head parser costs in the kernel: nanoseconds by test-run less those of the same program
 * without the parser, and the verifier's work. Run by hand: node dist/test/fuzz/measure-head.js
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeHeaderNames } from '../../compiler/abi/index.js';
import { openKernel } from '../../runtime/kernel/index.js';
import { latin } from './wasm-head.js';

const REPEAT = 20_000;
const ROUNDS = 15;
const BYTES_AT = 8 + 104 + 104;
const line = 'Host: reviews.prod\r\n';
const HEADS: Readonly<Record<string, string>> = {
  shortest: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'a curl': `GET /api/v1/users HTTP/1.1\r\n${line}User-Agent: curl/8.5.0\r\nAccept: */*\r\nX-Team: blue12\r\n\r\n`,
  'a post': `POST /api HTTP/1.1\r\n${line}Content-Length: 12345\r\nConnection: keep-alive\r\n\r\n`,
  'a browser': `GET /en/docs/index.html?x=1&y=2 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef; theme=dark\r\n\r\n`,
  'one long value': `GET / HTTP/1.1\r\n${line}X: ${'y'.repeat(8000)}\r\n\r\n`,
  '2000 lines': `GET / HTTP/1.1\r\n${line}${'a:\r\n'.repeat(2000)}\r\n`,
  '1600 dot segments': `GET /${'a/../'.repeat(1600)} HTTP/1.1\r\n${line}\r\n`,
};

const object = openKernel().load({
  name: 'head',
  bytes: readFileSync(fileURLToPath(new URL('../../http/head-harness.o', import.meta.url))),
});
const key = new Uint8Array(4);
object.map('weft_head_names').update(key, encodeHeaderNames(['x-team', 'cookie']));
const works = object.map('weft_head_works');
const info = object.program('weft_test_head').info();
console.log(`${info.verifiedInstructions} instructions processed by the verifier`);

/** Minimum and median over rounds. */
function time(program: string): { least: number; median: number } {
  const runs = Array.from(
    { length: ROUNDS },
    () => object.program(program).testRun(new Uint8Array(64), { repeat: REPEAT }).durationNs,
  ).sort((a, b) => a - b);
  return { least: runs[0] ?? 0, median: runs[ROUNDS >> 1] ?? 0 };
}
for (const [name, text] of Object.entries(HEADS)) {
  const work = new Uint8Array(works.info().valueSize);
  new DataView(work.buffer).setUint32(0, text.length, true);
  work.set(latin(text), BYTES_AT);
  works.update(key, work);
  const empty = time('weft_test_head_empty');
  const full = time('weft_test_head');
  const [least, median] = [full.least - empty.least, full.median - empty.median];
  console.log(`${name}: ${text.length} bytes, ${least} ns least, ${median} ns median`);
}
object[Symbol.dispose]();
