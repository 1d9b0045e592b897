/**
 * How long to wait before another try: exponential, with full jitter (Brooker, "Exponential Backoff And
 * Jitter"): uniform from 0 to the bound, so that nodes that lost one control plane at the same moment
 * do not come back at the same moment.
 */
import type { Clock } from '../control/wire/index.js';

/** The bound of the first wait, in milliseconds. */
export const FIRST_MS = 2_000;
/** No bound is higher: a node is back within a minute after its control plane is. */
export const MOST_MS = 60_000;

export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number;
  /** The last try went well: the next wait is a first one. */
  reset(): void;
}

/** A backoff at its beginning. */
export function createBackoff(clock: Pick<Clock, 'random'>): Backoff {
  let bound = FIRST_MS;
  return {
    next() {
      const wait = clock.random() * bound;
      bound = Math.min(MOST_MS, bound * 2);
      return wait;
    },
    reset() {
      bound = FIRST_MS;
    },
  };
}
