/** Kernels as weft.json names them: `6.12`. */

/** The oldest that the hooks load on. */
export const OLDEST_KERNEL = '6.1';
/** The first whose verifier takes may_goto: loops need not be walked turn by turn. */
export const MAY_GOTO_KERNEL = '6.9';

/** Whether one series comes before another. */
export function isOlder(series: string, than: string): boolean {
  const [a = 0, b = 0] = series.split('.').map(Number);
  const [c = 0, d = 0] = than.split('.').map(Number);
  return a < c || (a === c && b < d);
}

/** Whether a bundle for these kernels needs the form whose loops every verifier can walk. */
export function needsWalkedLoops(kernels: readonly string[]): boolean {
  return kernels.some((series) => isOlder(series, MAY_GOTO_KERNEL));
}
