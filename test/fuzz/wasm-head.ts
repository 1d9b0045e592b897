/** The head parser of the build in WASM, as tests open it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type HeadParser, openHeadParser, viewText } from '../../runtime/http/index.js';

const module = fileURLToPath(new URL('../../http/head.wasm', import.meta.url));

/** A parser of its own that looks for these header names. */
export function wasmParser(headers: readonly string[] = []): HeadParser {
  return openHeadParser(readFileSync(module), headers);
}

/** Bytes of a text whose characters stand for bytes. */
export function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** A parsed head as text, one line: what tables of expectations are written in. */
export function describe(parser: HeadParser, text: string): string {
  const head = parser.parse(latin(text));
  if (head.status === 'incomplete') return 'incomplete';
  if (head.status === 'refused') return `${head.code} ${head.reason} ${head.offset}`;
  const part = (name: 'method' | 'path' | 'query' | 'host'): string =>
    viewText(head.bytes, head[name]) ?? '-';
  const flags = (
    ['keepAlive', 'close', 'chunked', 'expect', 'upgrade', 'normalised'] as const
  ).filter((flag) => head[flag]);
  const length = head.contentLength === null ? '' : ` length=${head.contentLength}`;
  return `${part('method')} ${part('path')} ?${part('query')} @${part('host')} 1.${head.minor} ${flags.join(' ')}${length}`;
}
