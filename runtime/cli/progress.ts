/** A bar on stderr while a long input is read or much is compiled; nothing where stderr is no terminal. */
import type { Env } from './env.js';

const WIDTH = 24;
/** Drawn at most so often. */
const PERIOD_MS = 100;
const ERASE = '\r\u001b[K';

export interface Progress {
  /** `done` of `total` bytes or policies, and how many records or policies they were. */
  readonly show: (done: number, total: number, records: number) => void;
  /** Removes the bar, before anything else is printed. */
  readonly clear: () => void;
}

/** Makes a progress bar. */
export function progressBar(env: Env, unit = 'records'): Progress {
  let last = Number.NEGATIVE_INFINITY;
  let begun: number | null = null;
  let drawn = false;
  return {
    show: (done, total, records) => {
      if (!env.stderr.isTTY) return;
      const now = env.now().getTime();
      begun ??= now;
      if (now - last < PERIOD_MS) return;
      last = now;
      const share = Math.min(1, done / Math.max(1, total));
      const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
      const seconds = (now - begun) / 1000;
      // Not at the first time, when next to nothing has passed; of a pipe nobody knows the end.
      const rate = now === begun ? '' : `, ${Math.round(records / seconds).toLocaleString('en')}/s`;
      const part = total === 0 ? '' : `[${bar}] ${Math.floor(share * 100)} %  `;
      env.stderr.write(`${ERASE}${part}${records.toLocaleString('en')} ${unit}${rate}`);
      drawn = true;
    },
    clear: () => {
      if (drawn) env.stderr.write(ERASE);
      drawn = false;
    },
  };
}
