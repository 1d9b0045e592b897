/** How large tables may be. Beyond them is an error at the declaration, never a cut-off list. */

/**
 * Entries of one exact table: 2^20. A perfect hash of that size takes 17 MiB and builds in seconds, with
 * keys that are folded five times that; more would not fit the default `budget.tableBytes` of 64 MiB beside others.
 */
export const MAX_TABLE_ENTRIES: number = 1 << 20;

/** Prefixes of one address set: as above; a full Internet routing table has about as many. */
export const MAX_SET_PREFIXES: number = 1 << 20;

/**
 * Bytes of the image of one address set. A prefix costs at most one node (64 bytes) for each four
 * bits that it shares with another one beyond what all share, so only hostile sets come near it.
 */
export const MAX_SET_BYTES: number = 64 << 20;

/** Patterns of one table of paths or hosts: as entries of a table, of which each may take 80 bytes here. */
export const MAX_PATTERNS: number = 1 << 18;

/**
 * Transitions by an element's text, and states, of one table of paths: four times what so many patterns
 * need that share no states. Only patterns that multiply each other come near it.
 */
export const MAX_TRANSITIONS: number = 1 << 20;

/**
 * Places in the regular expressions of one table: bytes and joints, counted repetitions written out. A
 * thousand expressions of a hundred come to it.
 */
export const MAX_REGEX_PLACES = 100_000;

/** States before those alike are joined: they take seconds to build then. */
export const MAX_REGEX_STATES = 20_000;

/** Entries of the joined states' rows: 4 MiB, about the cache of a CPU. */
export const MAX_REGEX_ENTRIES: number = 1 << 20;

/** Tables of regular expressions of a bundle: a kernel without may_goto walks each of them, some 100,000 of its million instructions. */
export const MAX_REGEX_TABLES = 4;

/** Boxes of one rule list: rules, each as often as what it lets be one of several multiplies to. */
export const MAX_RULE_BOXES: number = 1 << 20;

/** Look-ups of one rule list: more would cost more than 150 ns in any case. */
export const MAX_PROBES = 24;

/** Up to here an exact table is a chain of compares: cheaper than hashing, and no image. */
export const CHAIN_ENTRIES = 4;

/** Up to here an address set is a chain of masked compares. */
export const CHAIN_PREFIXES = 8;

/** A trie of an address set is kept up to so many bytes, which stay in the cache; above it spans are where they are smaller. */
export const SMALL_TRIE: number = 64 << 10;

/** Up to here a port set is a chain of compares of ranges: cheaper than a load that may miss the cache. */
export const CHAIN_RANGES = 4;

/** Keys whose span is at most this many times their count become an array indexed by the key. */
export const DENSE_FACTOR = 4;
