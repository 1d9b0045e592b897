/**
 * The head parser in WASM: the C that the kernel runs (bpf/http/head.h), for the simulator and the
 * slow path. A parser keeps one head at a time; it is synchronous and holds no other resource.
 */
import {
  encodeHeaderNames,
  HEAD,
  HEAD_FLAG,
  HEAD_MAX,
  HEAD_REASON,
  HEAD_STATUS,
  HEADER_SLOTS,
  type HeadReason,
} from '../../compiler/abi/index.js';
import { decodeLatin1, latin1Writer } from './latin1.js';

/** `offset << 16 | length` into the head; null where absent. */
export type View = { readonly offset: number; readonly length: number };

export interface Head {
  readonly status: 'ok';
  /** Bytes of the head with the empty line that ends it: what follows is the body. */
  readonly length: number;
  readonly minor: number;
  readonly method: View;
  /** As sent; its bytes are stale where `normalised`. */
  readonly target: View;
  readonly path: View | null;
  readonly query: View | null;
  readonly host: View | null;
  /** By slot, in the order of the names; the first line of that name. */
  readonly headers: readonly (View | null)[];
  /** A bit per slot whose header stood more than once. */
  readonly repeated: number;
  readonly contentLength: bigint | null;
  readonly chunked: boolean;
  readonly keepAlive: boolean;
  readonly close: boolean;
  readonly expect: boolean;
  readonly upgrade: boolean;
  readonly normalised: boolean;
  /** The head with its path normalised: what the views are views of. */
  readonly bytes: Uint8Array;
}

export type ParsedHead =
  | Head
  | { readonly status: 'incomplete' }
  | {
      readonly status: 'refused';
      readonly code: number; // of the reply: 400, 431, 501, 505
      readonly reason: HeadReason;
      readonly offset: number;
    };

export interface HeadParser {
  /** Parses what has arrived, from the head's first byte on; the bytes are not changed. */
  parse(bytes: Uint8Array): ParsedHead;
  /** The same after `incomplete`, with those bytes and more: goes on where the last call stopped. */
  parseMore(bytes: Uint8Array): ParsedHead;
  /** The same, as struct weft_head. */
  parseRaw(bytes: Uint8Array): Uint8Array;
  /** The same of a text of bytes, without a copy: what it answers holds until the next parse. */
  parseText(text: string): RawHead;
}

/** A head as the parser's memory has it. */
export interface RawHead {
  /** HEAD_STATUS. */
  readonly status: number;
  /** struct weft_head. */
  readonly head: Uint8Array;
  /** What its views are views of. */
  readonly bytes: Uint8Array;
}

interface ModuleExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  bytes(): number;
  names(): number;
  head(): number;
  start(): void;
  parse(have: number): number;
}

/** The part of the WebAssembly API that is used: its types stand in lib.dom, not in node's. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
const api: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const REASONS = Object.keys(HEAD_REASON) as HeadReason[];

function viewAt(data: DataView, at: number): View | null {
  const word = data.getUint32(at, true);
  return word === 0 ? null : { offset: word >>> 16, length: word & 0xffff };
}

/** Reads struct weft_head, whose views are into `bytes`. */
export function decodeHead(record: Uint8Array, bytes: Uint8Array): ParsedHead {
  const data = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const status = data.getUint16(HEAD.status, true);
  if (status === HEAD_STATUS.incomplete) return { status: 'incomplete' };
  if (status !== HEAD_STATUS.ok) {
    const reason = REASONS[data.getUint16(HEAD.reason, true)];
    if (reason === undefined) throw new RangeError('a refusal without its reason');
    return { status: 'refused', code: status, reason, offset: data.getUint16(HEAD.offset, true) };
  }
  const flags = data.getUint8(HEAD.flags);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const nothing: View = { offset: 0, length: 0 };
  return {
    status: 'ok',
    length: data.getUint16(HEAD.length, true),
    minor: data.getUint8(HEAD.minor),
    method: viewAt(data, HEAD.method) ?? nothing,
    target: viewAt(data, HEAD.target) ?? nothing,
    path: viewAt(data, HEAD.path),
    query: viewAt(data, HEAD.query),
    host: viewAt(data, HEAD.host),
    headers: Array.from({ length: HEADER_SLOTS }, (_, i) => viewAt(data, HEAD.headers + 4 * i)),
    repeated: data.getUint16(HEAD.repeated, true),
    contentLength: has(HEAD_FLAG.length) ? data.getBigUint64(HEAD.contentLength, true) : null,
    chunked: has(HEAD_FLAG.chunked),
    keepAlive: has(HEAD_FLAG.keepAlive),
    close: has(HEAD_FLAG.close),
    expect: has(HEAD_FLAG.expect),
    upgrade: has(HEAD_FLAG.upgrade),
    normalised: has(HEAD_FLAG.normalised),
    bytes,
  };
}

/**
 * A parser that looks for these header names (lower case, at most 16), from the bytes of
 * dist/http/head.wasm; throws RangeError on names that encodeHeaderNames refuses.
 */
export function openHeadParser(wasm: Uint8Array, headers: readonly string[] = []): HeadParser {
  const names = encodeHeaderNames(headers);
  const exports = new api.Instance(new api.Module(wasm), {}).exports as ModuleExports;
  const memory = new Uint8Array(exports.memory.buffer); // the module never grows it
  const [bytesAt, headAt] = [exports.bytes(), exports.head()];
  memory.set(names, exports.names());
  const run = (bytes: Uint8Array): Uint8Array => {
    const have = Math.min(bytes.length, HEAD_MAX);
    memory.set(bytes.subarray(0, have), bytesAt);
    exports.parse(have);
    return memory.subarray(headAt, headAt + HEAD.size);
  };
  const read = (record: Uint8Array): ParsedHead => {
    const length = new DataView(record.buffer, record.byteOffset).getUint16(HEAD.length, true);
    return decodeHead(record, memory.slice(bytesAt, bytesAt + length));
  };
  const write = latin1Writer(exports.memory.buffer);
  const data = new DataView(exports.memory.buffer);
  const headRecord = memory.subarray(headAt, headAt + HEAD.size);
  return {
    parseRaw: (bytes) => {
      exports.start();
      return run(bytes).slice();
    },
    parseText: (text) => {
      exports.start();
      exports.parse(write(text, bytesAt, HEAD_MAX));
      const length = data.getUint16(headAt + HEAD.length, true);
      const status = data.getUint16(headAt + HEAD.status, true);
      return { status, head: headRecord, bytes: memory.subarray(bytesAt, bytesAt + length) };
    },
    parse: (bytes) => {
      exports.start();
      return read(run(bytes));
    },
    parseMore: (bytes) => read(run(bytes)),
  };
}

/** What a view of a head says, one character a byte; null where the view is absent. */
export function viewText(bytes: Uint8Array, view: View | null): string | null {
  if (view === null) return null;
  return decodeLatin1(bytes.subarray(view.offset, view.offset + view.length));
}
