/** What a record asks: its ends in the world, its clock, its draws and its request. */

import type { ConnectEnds } from '../simulate/index.js';
import { DEFAULT_NOW, type DecideInput, type RequestText, splitMix32 } from '../simulate/index.js';
import type { TrafficRecord } from './types.js';

const NS_PER_MS = 1_000_000n;

/** ns since 1970 of a time of the record format. */
export function recordTime(text: string): bigint {
  const dot = text.indexOf('.');
  const ms = BigInt(Date.parse(text));
  if (dot < 0) return ms * NS_PER_MS;
  const digits = /^\d+/.exec(text.slice(dot + 1))?.[0] ?? '';
  // Date reads milliseconds; what is finer comes after them.
  return ms * NS_PER_MS + BigInt(digits.slice(3).padEnd(6, '0'));
}

function requestOf({ request, to }: TrafficRecord): RequestText | undefined {
  if (request === undefined) return undefined;
  const { method, path, headers } = request;
  return { method, target: path, headers: headers ?? [['host', to.replace(/:\d+$/, '')]] };
}

export interface InputOptions {
  readonly seed: number;
  readonly line: number;
  /** False where nothing depends on the time, which is then not read. */
  readonly readsClock?: boolean;
}

/** The input of a record; draws that it does not give are those of its line, as of a scenario's case. */
export function recordInput(
  record: TrafficRecord,
  ends: ConnectEnds,
  { seed, line, readsClock = true }: InputOptions,
): DecideInput {
  const n = 2 * (line - 1);
  const input = {
    source: ends.source,
    destination: ends.destination,
    protocol: ends.protocol,
    random: record.random ?? splitMix32(seed, n),
    pick: record.pick ?? splitMix32(seed, n + 1),
    now: record.time === undefined || !readsClock ? DEFAULT_NOW : recordTime(record.time),
  };
  const request = requestOf(record);
  if (record.healthy !== undefined) {
    const { healthy } = record;
    return request === undefined ? { ...input, healthy } : { ...input, request, healthy };
  }
  return request === undefined ? input : { ...input, request };
}
