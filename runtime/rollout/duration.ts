/** Durations as people write them: one number and one unit. */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Longer is a slip of the pen. */
const LONGEST_MS = 365 * 86_400_000;

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`, `1d`; null for anything else, or more than a year. */
export function readDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const scale = UNITS[unit];
  if (scale === undefined) return null;
  const ms = Number(digits) * scale;
  return ms <= LONGEST_MS ? ms : null;
}

/** The shortest exact form, as readDuration reads it. */
export function durationText(ms: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, scale] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${ms / scale}${unit}`;
}
