/**
 * Replies and chunked bodies from a seed: pieces that matter to a framer put together by grammar,
 * then a few mutations. About half are whole and well-formed.
 */
import type { Prng } from '../support/prng.js';

const STATUSES = ['200 OK', '200 OK', '200 OK', '404 Not Found', '500 ', '200', '206 é\t!'];
const BODYLESS = ['204 No Content', '304 Not Modified', '205 Reset Content'];
const ODD_STATUSES = ['101 Switching Protocols', '099 X', '999 X', '20 X', '200X', '2000 X'];
const NAMES = [
  'Server', 'Date', 'Content-Type', 'ETag', 'Last-Modified', 'Set-Cookie', 'X-Te~m', 'A', 'x_y',
  'X-Very-Long-Name-That-Is-More-Than-32-Bytes', 'Content-Lengthy', 'Connections', 'Vary',
  'Transfer-Encodings', 'X-Content-Length', 'Accept-Ranges', 'Contents-Length', 'Connectixn',
]; // biome-ignore format: a list of words
const VALUES = [
  '',
  'nginx/1.22.1',
  'Sun, 22 Nov 2026 02:04:37 GMT',
  'text/html; charset=utf-8',
  'a\tb',
  '  x  ',
  'é\xff',
  'v'.repeat(80),
  'v'.repeat(300),
  'close',
  'chunked',
  '0',
];
const OPTIONS = [
  'Connection: close',
  'Connection: keep-alive',
  'connection: Keep-Alive',
  'Connection: upgrade, x',
  'Connection: x , close',
  'Connection: clo se',
];
const ODD_LINES = [
  'Content-Length: +1',
  'Content-Length: 1 1',
  'Content-Length:',
  'Content-Length: 1,1',
  'Content-Length: 18446744073709551616',
  'Content-Length: 99999999999999999',
  'Content-Length : 1',
  'Content-Length: 5\t',
  'Content-Length: 0x10',
  'Content-Length: 3',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked',
  ' fold: x',
  '\tx',
  ': x',
  'no colon',
  'x: \0',
  'Connection: \tclose',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b c"', ' ;a', ';a\tb', ';\0', ';é'];
const TRAILERS = ['', '', '', 'A: b\r\n', 'X-Sum: 1\r\nB:\r\n', 'Connection: close\r\n'];
const ODD_TRAILERS = ['Content-Length: 0\r\n', ' a: b\r\n', 'A : b\r\n', 'a\r\n', 'a: b\n'];
const BYTES = [0, 9, 10, 11, 13, 32, 34, 44, 45, 48, 49, 58, 59, 65, 97, 102, 103, 127, 128, 255];

/** Bytes of a body: some look like what frames. */
function data(random: Prng, length: number): string {
  const text = random.pick(['abcdefghij', '\r\n0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\0']);
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}

/** A chunked body: its chunks, last chunk and trailers. */
export function chunkedBody(random: Prng): string {
  let text = '';
  for (let n = random.below(4); n > 0; n--) {
    const length = 1 + random.below(random.pick([5, 40, 3000]));
    const hex = length.toString(16);
    const size = random.pick([hex, hex, hex.toUpperCase(), `000${hex}`]);
    text += `${size}${random.oneIn(4) ? random.pick(EXTENSIONS) : ''}\r\n${data(random, length)}\r\n`;
  }
  const trailers = random.oneIn(12) ? random.pick(ODD_TRAILERS) : random.pick(TRAILERS);
  return `${text}0${random.oneIn(6) ? random.pick(EXTENSIONS) : ''}\r\n${trailers}\r\n`;
}

function head(random: Prng, status: string, framing: readonly string[]): string {
  const lines = [...framing];
  for (let n = random.below(6); n > 0; n--) {
    const line = `${random.pick(NAMES)}:${random.pick([' ', '', '  '])}${random.pick(VALUES)}`;
    lines.splice(random.below(lines.length + 1), 0, line);
  }
  if (random.oneIn(3)) lines.push(random.pick(OPTIONS));
  if (random.oneIn(10)) lines.splice(random.below(lines.length + 1), 0, random.pick(ODD_LINES));
  const version = random.oneIn(8) ? '1.0' : '1.1';
  return `HTTP/${version} ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** One reply to a request of this kind, with what comes before it. */
function reply(random: Prng, asked: string): string {
  const interim = random.oneIn(8)
    ? head(random, random.pick(['100 Continue', '103 Early Hints', '102 X']), [])
    : '';
  if (asked.includes('upgrade') && random.oneIn(2)) {
    const lines = ['Connection: upgrade', 'Upgrade: x'];
    return `${interim + head(random, '101 Switching Protocols', lines)}\0\x01tunnel`;
  }
  if (random.oneIn(8)) return interim + head(random, random.pick(BODYLESS), ['Content-Length: 0']);
  const status = random.oneIn(20) ? random.pick(ODD_STATUSES) : random.pick(STATUSES);
  const length = random.below(random.pick([2, 40, 3000]));
  const bare = asked.includes('head');
  if (random.oneIn(12))
    return `${interim + head(random, status, [])}${bare ? '' : data(random, length)}`;
  if (random.oneIn(2)) {
    const line = random.pick(['Content-Length: ', 'content-length:', 'CONTENT-LENGTH:  ']);
    const blank = random.oneIn(4) ? ' ' : '';
    return `${interim + head(random, status, [`${line}${length}${blank}`])}${bare ? '' : data(random, length)}`;
  }
  const coding = random.pick(['Transfer-Encoding: chunked', 'transfer-encoding:CHUNKED']);
  return interim + head(random, status, [coding]) + (bare ? '' : chunkedBody(random));
}

/** Up to three changes: another byte, one more, one less, a piece twice, or the end cut off. */
export function mutateBytes(random: Prng, bytes: number[]): void {
  for (let n = 1 + random.below(3); n > 0 && bytes.length > 1; n--) {
    const at = random.below(Math.min(bytes.length, random.pick([80, 400, bytes.length])));
    const kind = random.below(6);
    if (kind === 0) bytes[at] = random.pick(BYTES);
    else if (kind === 1) bytes.splice(at, 0, random.pick(BYTES));
    else if (kind === 2) bytes.splice(at, 1);
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(12)));
    else if (kind === 4) bytes[at] = random.below(256);
    else if (random.oneIn(4)) bytes.length = at;
  }
}

/** The next stream of a seed, and the requests that it replies to, as `parseAsked` reads them. */
export function generateReplies(random: Prng): { asked: string; bytes: Uint8Array } {
  const kinds = ['get', 'get', 'get', 'head', 'upgrade', 'head+upgrade', 'connect'];
  const asked = Array.from({ length: 1 + random.below(3) }, () => random.pick(kinds));
  const text = asked.map((kind) => reply(random, kind)).join('');
  const bytes = Array.from(text, (c) => c.charCodeAt(0));
  if (random.oneIn(2)) mutateBytes(random, bytes);
  return { asked: asked.join(' '), bytes: Uint8Array.from(bytes) };
}
