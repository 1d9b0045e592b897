/** Texts of requests and replies. */
import type { Bytes, Part } from './row.js';
import { parts } from './row.js';

export const HOST = 'shop.prod';

export type Headers = Readonly<Record<string, string>>;

const lines = (headers: Headers): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** A request's head as written: `line` is `GET /x HTTP/1.1`. */
export const head = (line: string, headers: Headers = {}): string =>
  `${line}\r\nhost: ${HOST}\r\n${lines(headers)}\r\n`;

export const get = (path: string, headers: Headers = {}): string =>
  head(`GET ${path} HTTP/1.1`, headers);

export const lengthOf = (bytes: Bytes): number =>
  parts(bytes).reduce((sum, part) => sum + (typeof part === 'string' ? part.length : part.fill), 0);

/** A POST with a body by length: its head and its body. */
export function post(path: string, body: Bytes, headers: Headers = {}): [string, ...Part[]] {
  return [
    head(`POST ${path} HTTP/1.1`, { ...headers, 'content-length': String(lengthOf(body)) }),
    ...parts(body),
  ];
}

/** A POST with a body in chunks: its head alone. */
export const postChunked = (path: string, headers: Headers = {}): string =>
  head(`POST ${path} HTTP/1.1`, { ...headers, 'transfer-encoding': 'chunked' });

export const chunk = (data: string, extension = ''): string =>
  `${data.length.toString(16)}${extension}\r\n${data}\r\n`;
export const LAST_CHUNK = '0\r\n\r\n';

/** A reply with a body by length. */
export function reply(
  body: Bytes,
  { status = '200 OK', headers = {} }: { status?: string; headers?: Headers } = {},
): Part[] {
  const all = {
    'content-type': 'text/plain',
    ...headers,
    'content-length': String(lengthOf(body)),
  };
  return [`HTTP/1.1 ${status}\r\n${lines(all)}\r\n`, ...parts(body)];
}

export const ok = (body: string, headers: Headers = {}): string =>
  reply(body, { headers }).join('');

/** A reply's head without a body. */
export const bare = (status: string, headers: Headers = {}): string =>
  `HTTP/1.1 ${status}\r\n${lines(headers)}\r\n`;
