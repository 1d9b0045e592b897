/**
 * Byte layout of the structs that hooks and policy functions share. The C twin is bpf/abi.h; the
 * unit test abi-layout compares the two (it reads the BTF of the built object).
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d, so that one code path serves both.
 */

/** Of these layouts: a bundle's objects hold offsets, so that one of another version is refused. */
export const ABI_VERSION = 2;

/** Distinct attributes (namespace, a label, ...) of one side that one bundle may look at. */
export const ATTRIBUTE_SLOTS = 16;
/** Distinct text predicates (startsWith, endsWith, contains) of one side, one bit each. */
export const PREDICATE_BITS = 64;

/** Recursive calls that are under way at a time in one decision, but for those that are a function's last. */
export const FRAME_DEPTH = 64;
/** 64-bit words that one of them keeps: where to go on, and values. */
export const FRAME_WORDS = 15;
/** Decisions on a node that have such calls under way at a time. */
export const FRAME_SLOTS = 128;
/**
 * Memory of a decision whose functions call themselves: a slot, with a frame for each call in another behind one that
 * is not used. The word behind the frames says that a decision has the slot.
 */
export const FRAMES = {
  symbol: 'weft_frames',
  busy: 8184,
  slot: 8192,
} as const;

/** struct weft_party: offsets within a side. */
export const PARTY = { address: 0, predicates: 16, attributes: 24, size: 88 } as const;

/** struct weft_connection: the whole input of a policy function. */
export const CONNECTION = {
  source: 0,
  destination: 88,
  policies: 176,
  now: 192,
  zero: 200,
  random: 208,
  destinationPort: 212,
  protocol: 214,
  family: 215,
  size: 216,
} as const;

/** struct weft_request: the input of request policies. It begins as struct weft_connection does. */
export const REQUEST = {
  connection: 0,
  head: 216,
  zero: 320,
  bytes: 324,
  size: 8528,
} as const;

/** struct weft_decision: what the joined authorize function writes. */
export const DECISION = {
  verdict: 0,
  site: 4,
  policy: 8,
  reason: 12,
  audited: 16,
  shadowAllow: 32,
  shadowDeny: 48,
  size: 64,
} as const;

/** struct weft_decision.policy where no policy decided. */
export const NO_POLICY = 0xffffffff;
