/**
 * The reply framer and the chunk walker in WASM: the C that the kernel runs (bpf/http/reply.h,
 * chunk.h), for the slow path. One module serves any number of connections: what a connection keeps
 * is copied in and out, 80 bytes. All of it is synchronous and holds no other resource.
 */
import {
  ASKED,
  ASKED_KIND,
  CHUNK,
  FRAME_EVENT,
  FRAME_REASON,
  type FrameEvent,
  type FrameReason,
  LINES,
  REPLY,
  REPLY_FLAG,
  WINDOW_MAX,
} from '../../compiler/abi/index.js';

/** What of a request matters to the length of its reply. */
export type AskedKind = keyof typeof ASKED_KIND;

/** What stopped a framer, as in bpf/http/reply.h, and how many bytes it took. */
export interface ReplyStep {
  readonly event: Exclude<FrameEvent, 'chunk' | 'last'>;
  readonly taken: number;
}

/** The reply that is under way, or that ended last; all but `interim` once `head`. */
export interface ReplyState {
  readonly head: boolean;
  readonly status: number;
  readonly headLength: number;
  readonly contentLength: bigint | null;
  readonly chunked: boolean;
  readonly body: boolean;
  /** The connection ends with it. */
  readonly close: boolean;
  readonly interim: boolean;
  /** Nothing of a head, or of what follows one, is under way. */
  readonly between: boolean;
  /** Bytes of the body, or of one chunk of it, that come next. */
  readonly left: bigint;
  /** Final replies that ended on the connection. */
  readonly done: number;
  readonly reason: FrameReason | null;
}

export interface ReplyFramer {
  /** Notes a request before it is sent; false where 16 of them wait for replies. */
  ask(...kinds: readonly AskedKind[]): boolean;
  /** Takes of what has come up to the end of a reply, all where none ends. */
  frame(bytes: Uint8Array): ReplyStep;
  /** The stream ended: `done` where that ended a reply, `refused` within one, else `more`. */
  end(): ReplyStep['event'];
  state(): ReplyState;
}

export type ChunkStep =
  /** All was taken: the rest of the unit's head follows. */
  | { readonly status: 'incomplete'; readonly taken: number }
  /** The unit's head was `length` bytes; `data` bytes follow, then the next unit. */
  | {
      readonly status: 'chunk';
      readonly taken: number;
      readonly length: number;
      readonly data: number;
    }
  /** The body ended with this unit of `length` bytes. */
  | { readonly status: 'last'; readonly taken: number; readonly length: number }
  | { readonly status: 'refused'; readonly taken: number; readonly reason: FrameReason };

export interface ChunkReader {
  /** Reads on in the head of a unit. */
  read(bytes: Uint8Array): ChunkStep;
}

/** Where the kernel's framer stands: structs weft_asked and weft_reply. */
export interface ReplyPlace {
  readonly asked: Uint8Array;
  readonly reply: Uint8Array;
}

export interface Framing {
  /** A framer of a new connection, or one that goes on from a place. */
  openReplyFramer(from?: ReplyPlace): ReplyFramer;
  openChunkReader(): ChunkReader;
}

interface ModuleExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  window(): number;
  reply(): number;
  asked(): number;
  chunk(): number;
  ask(kinds: number): number;
  frame(have: number, stream: number): number;
  end(): number;
  walk(have: number): number;
}

/** The part of the WebAssembly API that is used: its types stand in lib.dom, not in node's. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
const api: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const EVENTS = Object.keys(FRAME_EVENT) as FrameEvent[];
const REASONS = Object.keys(FRAME_REASON) as FrameReason[];

function reasonOf(view: DataView): FrameReason {
  return REASONS[view.getUint8(LINES.reason)] ?? 'accepted';
}

/** Reads struct weft_reply. */
export function decodeReply(record: Uint8Array): ReplyState {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const flags = view.getUint16(LINES.flags, true);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return {
    head: has(REPLY_FLAG.head),
    status: view.getUint16(LINES.status, true),
    headLength: view.getUint32(REPLY.headLength, true),
    contentLength: has(REPLY_FLAG.length) ? view.getBigUint64(LINES.contentLength, true) : null,
    chunked: has(REPLY_FLAG.chunked),
    body: has(REPLY_FLAG.body),
    close: has(REPLY_FLAG.close),
    interim: has(REPLY_FLAG.interim),
    between: view.getUint8(LINES.phase) === 0,
    left: view.getBigUint64(REPLY.left, true),
    done: view.getUint32(REPLY.done, true),
    reason: view.getUint8(LINES.reason) === FRAME_REASON.accepted ? null : reasonOf(view),
  };
}

/** Framers and readers of one module, from the bytes of dist/http/frame.wasm. */
export function openFraming(wasm: Uint8Array): Framing {
  const exports = new api.Instance(new api.Module(wasm), {}).exports as ModuleExports;
  const memory = new Uint8Array(exports.memory.buffer); // the module never grows it
  const data = new DataView(exports.memory.buffer);
  const [windowAt, replyAt] = [exports.window(), exports.reply()];
  const [askedAt, chunkAt] = [exports.asked(), exports.chunk()];

  const look = (bytes: Uint8Array, from: number): number => {
    const window = bytes.subarray(from, from + WINDOW_MAX);
    memory.set(window, windowAt);
    return window.length;
  };

  const openReplyFramer = (from?: ReplyPlace): ReplyFramer => {
    const reply = from?.reply.slice() ?? new Uint8Array(REPLY.size);
    const asked = from?.asked.slice() ?? new Uint8Array(ASKED.size);
    /** Runs `call` on this connection's structs. */
    const on = <T>(call: () => T): T => {
      memory.set(reply, replyAt);
      memory.set(asked, askedAt);
      const answer = call();
      reply.set(memory.subarray(replyAt, replyAt + REPLY.size));
      asked.set(memory.subarray(askedAt, askedAt + ASKED.size));
      return answer;
    };
    const frame = (bytes: Uint8Array): ReplyStep => {
      let taken = 0;
      while (taken < bytes.length) {
        const have = data.getBigUint64(replyAt + REPLY.left, true) > 0n ? 0 : look(bytes, taken);
        const event = EVENTS[exports.frame(have, bytes.length - taken)] as ReplyStep['event'];
        taken += data.getUint32(replyAt + LINES.at, true);
        if (event !== 'more') return { event, taken };
      }
      return { event: 'more', taken };
    };
    return {
      ask: (...kinds) =>
        on(() => exports.ask(kinds.reduce((all, kind) => all | ASKED_KIND[kind], 0))) === 0,
      frame: (bytes) => on(() => frame(bytes)),
      end: () => on(() => EVENTS[exports.end()] as ReplyStep['event']),
      state: () => decodeReply(reply),
    };
  };

  const openChunkReader = (): ChunkReader => {
    const chunk = new Uint8Array(CHUNK.size);
    const read = (bytes: Uint8Array): ChunkStep => {
      let taken = 0;
      let event: FrameEvent | undefined = 'more';
      while (taken < bytes.length && event === 'more') {
        event = EVENTS[exports.walk(look(bytes, taken))];
        taken += data.getUint32(chunkAt + LINES.at, true);
      }
      const length = data.getUint32(chunkAt + CHUNK.length, true);
      const size = Number(data.getBigUint64(chunkAt + CHUNK.data, true)); // below 2^53
      if (event === 'chunk') return { status: 'chunk', taken, length, data: size };
      if (event === 'last') return { status: 'last', taken, length };
      if (event === 'more') return { status: 'incomplete', taken };
      const view = new DataView(exports.memory.buffer, chunkAt, CHUNK.size);
      return { status: 'refused', taken, reason: reasonOf(view) };
    };
    return {
      read: (bytes) => {
        memory.set(chunk, chunkAt);
        const step = read(bytes);
        chunk.set(memory.subarray(chunkAt, chunkAt + CHUNK.size));
        return step;
      },
    };
  };
  return { openReplyFramer, openChunkReader };
}
