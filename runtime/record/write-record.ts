/** A record as a line. */
import type { TrafficRecord } from './types.js';

/** The line of a record with its end; keys in the order of the format. */
export function recordLine(record: TrafficRecord): string {
  const { id, time, from, to, protocol, random, pick, healthy, bound, request, decided } = record;
  // Keys without a value are left out by JSON.
  const ordered = { id, time, from, to, protocol, random, pick, healthy, bound, request, decided };
  return `${JSON.stringify(ordered)}\n`;
}
