/**
 * The 32-bit answer of a policy function, the same in WASM and in eBPF.
 *
 *   31      24 23                8 7        0
 *  +----------+-------------------+----------+
 *  |    0     |  site (0 = none)  | verdict  |
 *  +----------+-------------------+----------+
 *
 * A route is  site << 16 | route, where route 0 is "no opinion" and n is the n-th declared cluster
 * of the policy, counted from 1. Sites are numbered from 1 across the whole bundle.
 */
export const VERDICT = { allow: 1, deny: 2, pass: 3, audit: 4 } as const;
export type VerdictName = keyof typeof VERDICT;

/** What a policy function returns instead of a verdict or route when it stopped early. */
export const STOPPED = { trap: 0xf0, fuel: 0xf1 } as const;
/** As above, for routeConnection: these values stand in the low 16 bits. */
export const ROUTE_STOPPED = { trap: 0xfff0, fuel: 0xfff1 } as const;

export const VERDICT_BITS = 8;
export const VERDICT_MASK = 0xff;
export const ROUTE_BITS = 16;
export const ROUTE_MASK = 0xffff;

/** Sites share 16 bits with the route number (see above). */
export const MAX_SITES = 0xffff;
/** Route numbers 0xfff0 and up are ROUTE_STOPPED. */
export const MAX_ROUTES = 0xffef;
/** Policies of a bundle: each is a bit of struct weft_policy_set, which has POLICY_WORDS words. */
export const MAX_POLICIES = 128;

/** Why a decision came out as it did; the number stands in struct weft_decision.reason. */
export const REASON = {
  policy: 0,
  default: 1,
  noAllow: 2,
  trap: 3,
  fuel: 4,
  unknownIdentity: 5,
  noEndpoint: 6,
  noRoute: 7,
  noGeneration: 8,
  parse: 9,
  busy: 10,
  requests: 11,
  connection: 12,
  fault: 13,
} as const;
export type ReasonName = keyof typeof REASON;
