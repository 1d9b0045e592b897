/**
 * What the reply framer and the chunk walker keep and answer. The C twins are bpf/http/lines.h,
 * chunk.h and reply.h; the unit test frame-layout compares them through the BTF of the built object.
 */

/** Bytes that are looked at in one call, and so many more that a word can be read at any of them. */
export const WINDOW_MAX = 1024;
export const WINDOW_SLACK = 8;
/** Requests of one connection that wait for their reply. */
export const ASKED_MAX = 16;
export const REPLY_HEAD_MAX = 65536;
export const CHUNK_HEADER_MAX = 256;
export const TRAILERS_MAX = 8192;

/** struct weft_lines. */
export const LINES = {
  low: 0,
  high: 8,
  contentLength: 16,
  at: 24,
  have: 28,
  counted: 32,
  phase: 36,
  field: 37,
  length: 38,
  gap: 39,
  event: 40,
  reason: 41,
  seen: 42,
  status: 44,
  flags: 46,
  size: 48,
} as const;

/** struct weft_reply. */
export const REPLY = { lines: 0, left: 48, done: 56, headLength: 60, size: 64 } as const;

/** struct weft_chunk. */
export const CHUNK = { lines: 0, data: 48, length: 56, zero: 60, size: 64 } as const;

/** struct weft_asked. */
export const ASKED = { kinds: 0, count: 8, zero: 12, size: 16 } as const;

/** enum weft_asked_kind. */
export const ASKED_KIND = { head: 1, upgrade: 2, connect: 4 } as const;

/** enum weft_reply_flag. */
export const REPLY_FLAG = {
  head: 1,
  length: 2,
  chunked: 4,
  body: 8,
  close: 16,
  interim: 32,
} as const;

/** enum weft_frame_event. */
export const FRAME_EVENT = {
  more: 0,
  done: 1,
  tunnels: 2,
  closes: 3,
  refused: 4,
  chunk: 5,
  last: 6,
} as const;
export type FrameEvent = keyof typeof FRAME_EVENT;

/** enum weft_frame_reason. */
export const FRAME_REASON = {
  accepted: 0,
  headLarge: 1,
  unasked: 2,
  afterClose: 3,
  statusLine: 4,
  switchUnasked: 5,
  bareCr: 6,
  bareLf: 7,
  fold: 8,
  nameEmpty: 9,
  nameSpace: 10,
  nameCharacter: 11,
  noColon: 12,
  valueControl: 13,
  lengthRepeated: 14,
  lengthInvalid: 15,
  lengthOverflow: 16,
  lengthWithCoding: 17,
  codingRepeated: 18,
  codingUnknown: 19,
  codingVersion: 20,
  chunkSize: 21,
  chunkOverflow: 22,
  chunkControl: 23,
  chunkLarge: 24,
  chunkEnd: 25,
  trailersLarge: 26,
  trailerFraming: 27,
} as const;
export type FrameReason = keyof typeof FRAME_REASON;
