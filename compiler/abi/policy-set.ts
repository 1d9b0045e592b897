/**
 * Sets of policies as they lie in structs (struct weft_policy_set): a bit per policy of the bundle, in words of 64, the
 * lowest first. Elsewhere a set is a bigint.
 */

/** Words of a set; all of them have MAX_POLICIES bits. */
export const POLICY_WORDS = 2;

const WORD_BITS = 64n;

/** The words of a set. */
export function policyWords(set: bigint): bigint[] {
  return Array.from({ length: POLICY_WORDS }, (_, i) =>
    BigInt.asUintN(64, set >> (WORD_BITS * BigInt(i))),
  );
}

/** Writes a set. */
export function putPolicies(view: DataView, at: number, set: bigint): void {
  for (let i = 0, left = set; i < POLICY_WORDS; i += 1, left >>= WORD_BITS) {
    view.setBigUint64(at + 8 * i, left, true);
  }
}

/** Reads a set. */
export function policiesAt(view: DataView, at: number): bigint {
  let set = 0n;
  for (let i = POLICY_WORDS - 1; i >= 0; i -= 1) {
    set = (set << WORD_BITS) | view.getBigUint64(at + 8 * i, true);
  }
  return set;
}
