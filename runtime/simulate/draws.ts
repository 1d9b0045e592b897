/** Draws for cases that give none: a fixed function of seed and case, so that runs repeat. */

/** SplitMix32: the n-th number (from 0) of the sequence of a seed, uniform in u32. */
export function splitMix32(seed: number, n: number): number {
  let z = (seed + Math.imul(n + 1, 0x9e3779b9)) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/** The draws of the n-th case of a scenario: `random` is number 2n of the sequence, `pick` 2n + 1. */
export function caseDraws(seed: number, n: number): { random: number; pick: number } {
  return { random: splitMix32(seed, 2 * n), pick: splitMix32(seed, 2 * n + 1) };
}

/** The clock of cases that give none: 2026-01-01T00:00:00Z in nanoseconds. */
export const DEFAULT_NOW: bigint = 1_767_225_600_000_000_000n;
