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
      const share = total === 0 ? 1 : Math.min(1, done / total);
      const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
      const seconds = Math.max(0.001, (now - begun) / 1000);
      const rate = Math.round(records / seconds).toLocaleString('en');
      const text = `[${bar}] ${Math.floor(share * 100)} %  ${records.toLocaleString('en')} ${unit}, ${rate}/s`;
      env.stderr.write(`${ERASE}${text}`);
      drawn = true;
    },
    clear: () => {
      if (drawn) env.stderr.write(ERASE);
      drawn = false;
    },
  };
}
