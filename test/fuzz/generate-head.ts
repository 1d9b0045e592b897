/**
 * Heads from a seed: pieces that matter to a parser put together by grammar, then a few mutations.
 * About half are whole and well-formed.
 */
import type { Prng } from '../support/prng.js';

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPPATCH', 'SEARCH'];
const SEGMENTS = [
  'a',
  'users',
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '',
  'x.y',
  '%41',
  '%2f',
  '%zz',
  '\\',
  '-_~',
  '...',
];
const HOSTS = ['a', 'reviews.prod', 'a.b:8080', '[::1]:80', 'A_b', '10.0.0.1', ''];
const NAMES = [
  'X-Team', 'x-team', 'Cookie', 'Accept', 'User-Agent', 'X-Very-Long-Name-That-Is-More-Than-32-Bytes',
  'A', 'x_y', 'x.y!', 'Content-Lengthy', 'Hos', 'Connections', 'If-Match', 'X-Te~m',
]; // biome-ignore format: a list of words
const VALUES = [
  '',
  'blue',
  '*/*',
  'curl/8.5.0',
  'a\tb',
  'q=0.8, b',
  '  x  ',
  'é\xff',
  'v'.repeat(80),
  'x y',
];
const FRAMING = [
  'Content-Length: 0',
  'Content-Length: 12',
  'content-length:  1234567890 ',
  'Content-Length: 007',
  'Transfer-Encoding: chunked',
  'transfer-encoding:CHUNKED',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade, x',
  'Upgrade: websocket',
  'Connection: x , close',
  'Expect: 100-continue',
];
const ODD_FRAMING = [
  'Content-Length: +1',
  'Content-Length: 1 1',
  'Content-Length:',
  'Content-Length: 1,1',
  'Content-Length: 18446744073709551616',
  'Content-Length: 99999999999999999',
  'Content-Length : 1',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: xchunked',
  'Host: b',
  'Host: a b',
  ' fold: x',
  '\tx',
  ': x',
  'no colon',
  'x: \0',
  'Content-Length: 0x10',
  'Content-Length: 5\x0b',
  'Transfer-Encoding: \x0bchunked',
  'Connection: \tclose',
];
const BYTES = [
  0, 9, 10, 11, 13, 32, 33, 34, 35, 37, 45, 46, 47, 58, 63, 64, 92, 94, 95, 126, 127, 128, 255,
];

function target(random: Prng, method: string, host: string): string {
  if (method === 'OPTIONS' && random.oneIn(3)) return '*';
  const path = Array.from({ length: 1 + random.below(5) }, () => `/${random.pick(SEGMENTS)}`).join(
    '',
  );
  const query = random.oneIn(3) ? `?${random.pick(['', 'a=b', 'x=/../%41', '?'])}` : '';
  if (random.oneIn(10))
    return `${random.pick(['http', 'HTTP', 'https'])}://${host}${random.oneIn(3) ? '' : path}${query}`;
  return path + query;
}

function wellFormed(random: Prng): string {
  const method = random.pick(METHODS);
  const host = random.pick(HOSTS);
  const version = random.oneIn(6) ? '1.0' : '1.1';
  const lines = random.oneIn(30)
    ? []
    : [`${random.pick(['Host', 'host', 'HOST'])}:${random.pick(['', ' ', ' \t'])}${host}`];
  if (random.oneIn(40)) return `CONNECT ${host} HTTP/1.1\r\n${lines.join('')}\r\n\r\n`;
  for (let n = random.below(6); n > 0; n--)
    lines.push(`${random.pick(NAMES)}:${random.pick([' ', '', '  '])}${random.pick(VALUES)}`);
  if (random.oneIn(2)) lines.push(random.pick(FRAMING));
  if (random.oneIn(8)) lines.push(random.pick(FRAMING));
  if (random.oneIn(8)) lines.splice(random.below(lines.length + 1), 0, random.pick(ODD_FRAMING));
  return `${method} ${target(random, method, host)} HTTP/${version}\r\n${lines.map((l) => `${l}\r\n`).join('')}\r\n`;
}

/** One change to a list of bytes: another byte, one more, one less, a piece twice, or the end cut off. */
function mutate(random: Prng, bytes: number[]): void {
  const at = random.below(bytes.length);
  switch (random.below(6)) {
    case 0:
      bytes[at] = random.pick(BYTES);
      return;
    case 1:
      bytes.splice(at, 0, random.pick(BYTES));
      return;
    case 2:
      bytes.splice(at, 1);
      return;
    case 3:
      bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(12)));
      return;
    case 4:
      bytes[at] = random.below(256);
      return;
    default:
      if (random.oneIn(4)) bytes.length = at;
  }
}

/** The next head of a seed; it is not empty. */
export function generateHead(random: Prng): Uint8Array {
  const bytes = Array.from(wellFormed(random), (c) => c.charCodeAt(0));
  if (random.oneIn(2))
    for (let n = 1 + random.below(3); n > 0 && bytes.length > 1; n--) mutate(random, bytes);
  return bytes.length > 0 ? Uint8Array.from(bytes) : Uint8Array.of(71);
}
