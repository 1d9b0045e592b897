/**
 * No stream outlives the certificate that it began with. The ends of many that were issued together are
 * spread over the last half minute, so that not all come back at once.
 */
import type { Clock } from './wire/index.js';

const SPREAD_MS = 30_000;

/** Runs `act` a little before `notAfter`; answers with how to leave it. */
export function beforeExpiry(clock: Clock, notAfter: number, act: () => void): () => void {
  const left = notAfter - clock.now();
  const spread = Math.min(SPREAD_MS, Math.max(0, left) / 10) * clock.random();
  let leave = (): void => {};
  const wait = (): void => {
    const due = notAfter - spread - clock.now();
    // Timers run at most some weeks: what lies further off is asked again.
    leave = due <= 0 ? clock.after(0, act) : clock.after(due, wait);
  };
  wait();
  return () => leave();
}
