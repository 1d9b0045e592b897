/**
 * What the HTTP/1.1 head parser is given and what it answers; struct weft_head itself is in layout.ts.
 * The C twin is bpf/http/head.h; the unit test head-layout compares the two through the BTF of the
 * built object.
 */

/** Bytes of the longest header name that a policy may look at. */
export const HEADER_NAME_MAX = 64;
export const NAME_ENTRIES = 24;
export const NAME_BUCKETS = 256;

/** struct weft_names. */
export const NAMES = { seed: 0, buckets: 8, entries: 264, size: 1992 } as const;

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
