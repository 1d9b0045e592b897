/**
 * What the reply framer and the chunk walker cost in the kernel: nanoseconds by test-run less those
 * of the same program without them, and the verifier's work. Each run frames the same whole reply
 * again. Run by hand: node dist/test/fuzz/measure-frame.js
 */
import { openKernelFraming } from './kernel-frame.js';
import { latin } from './wasm-head.js';

const NGINX =
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 02:04:37 GMT\r\nContent-Type: text/html\r\nContent-Length: 615\r\nLast-Modified: Sat, 21 Nov 2026 17:00:00 GMT\r\nConnection: keep-alive\r\nETag: "6740a1b0-267"\r\nAccept-Ranges: bytes\r\n\r\n';
const NODE =
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 22 Nov 2026 02:04:37 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 12\r\n\r\n';
const REPLIES: Readonly<Record<string, string>> = {
  shortest: 'HTTP/1.1 204 No Content\r\n\r\n',
  'a node:http': `${NODE}hello world!`,
  'an nginx': NGINX + 'x'.repeat(615),
  'an express': `HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\nETag: W/"2-vyGp6PvFo4RvsFtPoIWeCReyIC8"\r\nDate: Sun, 22 Nov 2026 02:04:37 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n{}`,
  'a chunked one': `HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 02:04:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n${'x'.repeat(31)}\r\n0\r\n\r\n`,
};
const CHUNKS: Readonly<Record<string, string>> = {
  'a chunk': '\r\n2000\r\n',
  'a last chunk': '0\r\n\r\n',
};

const framing = openKernelFraming();
for (const program of ['reply', 'chunk'] as const)
  console.log(`${program}: ${framing.verified(program)} instructions processed by the verifier`);
for (const [program, texts] of [
  ['reply', REPLIES],
  ['chunk', CHUNKS],
] as const)
  for (const [name, text] of Object.entries(texts)) {
    const head = program === 'reply' ? text.indexOf('\r\n\r\n') + 4 : text.length;
    const { least, median } = framing.time(program, latin(text));
    console.log(
      `${name}: head ${head} of ${text.length} bytes, ${least} ns least, ${median} ns median`,
    );
  }
framing[Symbol.dispose]();
