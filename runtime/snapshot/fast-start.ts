/**
 * When V8 makes which code. The AssemblyScript compiler is a large WASM module that runs for half a second: V8's optimizing
 * tier costs more than it gives there (measured: 2.3 s with it, 1.5 s without, on two cores).
 */
import { setFlagsFromString } from 'node:v8';

/** Keeps V8's WASM code at its baseline tier from now on. Call before the first compile of a short-lived process. */
export function preferFastStart(): void {
  setFlagsFromString('--liftoff-only');
}

/**
 * Makes machine code of each function at its first call from now on: what answers again and again is worth it, and V8
 * would wait until it has seen a function often, through the first twenty answers.
 */
export function preferManyRuns(): void {
  setFlagsFromString('--always-sparkplug');
}
