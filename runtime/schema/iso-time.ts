/** Times as ISO 8601 texts: Date.parse takes 30 February for 2 March, which is no time of any calendar. */

/** Days that every month has. */
const EVERY_MONTH = 28;

/** ms since 1970 of a text that has the form of such a time (`2026-01-02T…`); NaN where there is none. */
export function isoMilliseconds(text: string): number {
  const day = Number(text.slice(8, 10));
  if (day > EVERY_MONTH) {
    const midnight = new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`));
    if (midnight.getUTCDate() !== day) return Number.NaN;
  }
  return Date.parse(text);
}
