/** A wait that a signal cuts short. */
import type { Clock } from './clock.js';

/** Resolves after so long, or when the signal aborts; leaves nothing behind at the signal. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      leave();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const leave = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
