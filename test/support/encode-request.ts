/**
 * Writes struct weft_request for one request, without the parser: views of what was written, where it
 * was written. Paths are taken as they are.
 */
import { HEAD, HEAD_MAX, REQUEST, type ViewName } from '../../compiler/abi/index.js';
import type { Manifest } from '../../compiler/bundle/manifest.js';
import { encodeConnection, type Facts, type Interner } from './encode-connection.js';

export interface RequestFacts extends Facts {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Bytes of a text whose characters stand for bytes. */
function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** The head as it is sent. */
export function headText({ method, target, headers }: RequestFacts): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The bytes of struct weft_request; `fill` is what lies behind the head. */
export function encodeRequest(
  facts: RequestFacts,
  manifest: Manifest,
  interner: Interner,
  fill = 0,
): Uint8Array {
  const out = new Uint8Array(REQUEST.size).fill(fill);
  out.fill(0, 0, REQUEST.bytes);
  out.set(encodeConnection(facts, manifest, interner));
  const view = new DataView(out.buffer);
  const text = headText(facts);
  if (text.length > HEAD_MAX) throw new Error('the head is too long');
  out.set(latin(text), REQUEST.bytes);
  const put = (at: number, offset: number, length: number): void => {
    view.setUint32(REQUEST.head + at, offset * 65536 + length, true);
  };
  const { method, target } = facts;
  const part = (name: ViewName, offset: number, length: number): void =>
    put(HEAD[name], offset, length);
  view.setUint16(REQUEST.head + HEAD.length, text.length, true);
  view.setUint8(REQUEST.head + HEAD.minor, 1);
  const from = method.length + 1;
  const mark = target.indexOf('?');
  part('method', 0, method.length);
  part('target', from, target.length);
  part('path', from, mark < 0 ? target.length : mark);
  if (mark >= 0) part('query', from + mark + 1, target.length - mark - 1);
  let offset = text.indexOf('\r\n') + 2;
  for (const [name, value] of facts.headers) {
    const at = offset + name.length + 2;
    const slot = manifest.headers.indexOf(name.toLowerCase());
    if (slot >= 0 && view.getUint32(REQUEST.head + HEAD.headers + 4 * slot, true) === 0) {
      put(HEAD.headers + 4 * slot, at, value.length);
    } else if (slot >= 0) {
      const repeated = view.getUint16(REQUEST.head + HEAD.repeated, true);
      view.setUint16(REQUEST.head + HEAD.repeated, repeated | (1 << slot), true);
    }
    if (name.toLowerCase() === 'host') part('host', at, value.length);
    offset = at + value.length + 2;
  }
  return out;
}

/** Many, one after the other. */
export function encodeRequests(
  all: readonly RequestFacts[],
  manifest: Manifest,
  interner: Interner,
): Uint8Array {
  const bytes = new Uint8Array(all.length * REQUEST.size);
  all.forEach((facts, i) => {
    bytes.set(encodeRequest(facts, manifest, interner, (i * 37) & 0xff), i * REQUEST.size);
  });
  return bytes;
}
