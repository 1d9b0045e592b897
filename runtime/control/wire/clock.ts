/** Time and chance as values, so that what waits can be tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `act` once after so long; answers with how to leave it. Keeps no program alive. */
  after(ms: number, act: () => void): () => void;
  /** From 0 up to 1, without it. */
  random(): number;
}

/** setTimeout's longest wait; what lies further off is asked again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
