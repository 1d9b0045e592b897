/**
 * A request as people write it, as the head that is sent, parsed by the parser that the kernel runs
 * (bpf/http/head.h, built as WASM), and as struct weft_request.
 */
import { HEAD_MAX, HEAD_STATUS, REQUEST } from '../../compiler/abi/index.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import {
  encodeLatin1,
  type Head,
  type HeadParser,
  openHeadParser,
  readHttpModule,
} from '../http/index.js';
import { type ConnectionFields, writeConnection } from './connection.js';

export interface RequestText {
  readonly method: string;
  /** What stands in the request line, as `/path?query`. */
  readonly target: string;
  /** 1.1 unless it says 1.0. */
  readonly version?: '1.0' | '1.1';
  /** In order; the head has no others. */
  readonly headers: readonly (readonly [string, string])[];
}
export type ParsedRequest =
  | {
      readonly ok: true;
      /** struct weft_head. */
      readonly head: Uint8Array;
      readonly bytes: Uint8Array;
      readonly parsed: Head;
    }
  /** Refused by the parser: the status of the reply. */
  | { readonly ok: false; readonly status: number };
export type RequestParser = (request: RequestText) => ParsedRequest;

const TOO_LARGE = 431;

function headText({ method, target, headers, version = '1.1' }: RequestText): string {
  let text = `${method} ${target} HTTP/${version}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** The head as it is sent; characters stand for bytes. */
export function requestHead(request: RequestText): Uint8Array {
  return encodeLatin1(headText(request));
}

/** A parser for requests that looks for the headers of a bundle; it is opened at its first use. */
export function requestParser(headers: readonly string[]): RequestParser {
  let parser: HeadParser | null = null;
  return (request) => {
    parser ??= openHeadParser(readHttpModule('head'), headers);
    const sent = requestHead(request);
    const parsed = parser.parse(sent);
    if (parsed.status === 'refused') return { ok: false, status: parsed.code };
    // A whole head is incomplete only where it does not fit the buffer.
    if (parsed.status === 'incomplete') return { ok: false, status: TOO_LARGE };
    return { ok: true, head: parser.parseRaw(sent), bytes: parsed.bytes, parsed };
  };
}

/**
 * The same for one request after the other: `head` and `bytes` of an answer hold until the next, and
 * `parsed` is parsed when it is asked for.
 */
export function streamParser(headers: readonly string[]): RequestParser {
  let parser: HeadParser | null = null;
  const parseAgain = requestParser(headers);
  return (request) => {
    parser ??= openHeadParser(readHttpModule('head'), headers);
    const { status, head, bytes } = parser.parseText(headText(request));
    if (status === HEAD_STATUS.incomplete) return { ok: false, status: TOO_LARGE };
    if (status !== HEAD_STATUS.ok) return { ok: false, status };
    return {
      ok: true,
      head,
      bytes,
      get parsed(): Head {
        const again = parseAgain(request);
        if (!again.ok) throw new BugError('a head is refused that was read');
        return again.parsed;
      },
    };
  };
}

export interface RequestFields {
  readonly connection: ConnectionFields;
  readonly head: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Encodes requests one after the other. */
export function encodeRequests(list: readonly RequestFields[]): Uint8Array {
  const out = new Uint8Array(list.length * REQUEST.size);
  const view = new DataView(out.buffer);
  for (const [index, { connection, head, bytes }] of list.entries()) {
    const at = index * REQUEST.size;
    writeConnection(view, at, connection);
    out.set(head.subarray(0, REQUEST.zero - REQUEST.head), at + REQUEST.head);
    out.set(bytes.subarray(0, HEAD_MAX), at + REQUEST.bytes);
  }
  return out;
}
