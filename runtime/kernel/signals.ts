/**
 * A step that signals do not interrupt: they wait until it is over, as far as they can be held back. Only this thread
 * holds them, so one that is sent to the process goes to another thread meanwhile, and Ctrl-C works.
 */
import { type Native, stable } from './native.js';

// sigset_t of glibc; SIG_BLOCK and SIG_SETMASK of Linux (asm-generic/signal-defs.h).
const SET_BYTES = 128;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;

/** Runs a step with the signals of this thread held back. */
export function withSignalsHeld<T>(native: Native, step: () => T): T {
  const before = stable(SET_BYTES);
  native.pthread_sigmask(SIG_BLOCK, stable(SET_BYTES).fill(0xff), before);
  try {
    return step();
  } finally {
    native.pthread_sigmask(SIG_SETMASK, before, stable(SET_BYTES));
  }
}
