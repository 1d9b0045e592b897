/** A small seeded generator (mulberry32): the same seed gives the same run on any machine. */
export class Prng {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** Uniform in 0..2^32-1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  /** Uniform in 0..n-1. */
  below(n: number): number {
    return this.u32() % n;
  }
  /** True once in n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
  /** True that often in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
