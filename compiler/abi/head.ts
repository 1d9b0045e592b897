/**
 * The result of the HTTP/1.1 head parser, and what it is given. The C twin is bpf/http/head.h; the
 * unit test head-layout compares the two through the BTF of the built object.
 *
 * A view is `offset << 16 | length` into the head; 0 is an absent one.
 */

/** A head that is longer is refused with 431. */
export const HEAD_MAX = 8192;
/** A buffer has so many bytes more, so that a word can be read at any offset. */
export const HEAD_SLACK = 8;
/** Distinct header names that one bundle's policies may look at. */
export const HEADER_SLOTS = 16;

/** Bytes of the longest header name that a policy may look at. */
export const HEADER_NAME_MAX = 64;
export const NAME_ENTRIES = 32;
export const NAME_BUCKETS = 256;

/** struct weft_head. */
export const HEAD = {
  length: 0,
  status: 2,
  minor: 4,
  flags: 5,
  reason: 6,
  method: 8,
  target: 12,
  path: 16,
  query: 20,
  host: 24,
  headers: 28,
  repeated: 92,
  offset: 94,
  contentLength: 96,
  size: 104,
} as const;

/** struct weft_names. */
export const NAMES = { seed: 0, buckets: 8, entries: 264, size: 2568 } as const;

/** struct weft_name_entry. */
export const NAME_ENTRY = { words: 0, length: 64, kind: 68, slot: 70, size: 72 } as const;

/** enum weft_head_status; every other status is that of the refusal. */
export const HEAD_STATUS = { ok: 0, incomplete: 1 } as const;

/** enum weft_head_flag. */
export const HEAD_FLAG = {
  keepAlive: 1,
  chunked: 2,
  length: 4,
  expect: 8,
  upgrade: 16,
  close: 32,
  normalised: 64,
} as const;

/** enum weft_head_reason. */
export const HEAD_REASON = {
  accepted: 0,
  tooLarge: 1,
  emptyLine: 2,
  method: 3,
  methodLong: 4,
  targetCharacter: 5,
  targetForm: 6,
  targetFragment: 7,
  version: 8,
  versionUnsupported: 9,
  bareCr: 10,
  bareLf: 11,
  fold: 12,
  nameEmpty: 13,
  nameSpace: 14,
  nameCharacter: 15,
  noColon: 16,
  valueControl: 17,
  hostMissing: 18,
  hostRepeated: 19,
  hostCharacter: 20,
  hostDiffers: 21,
  lengthRepeated: 22,
  lengthInvalid: 23,
  lengthOverflow: 24,
  lengthWithCoding: 25,
  codingRepeated: 26,
  codingNotLast: 27,
  codingUnknown: 28,
  codingVersion: 29,
  pathNul: 30,
} as const;
export type HeadReason = keyof typeof HEAD_REASON;

/** enum weft_name_kind, by the name that has it. */
export const NAME_KIND = {
  host: 1,
  'content-length': 2,
  'transfer-encoding': 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
} as const;
