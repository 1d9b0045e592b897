/** What a record asks: its ends in the world, its clock, its draws and its request. */

import { parseAddress } from '../discovery/index.js';
import {
  type BoundPlace,
  type ConnectEnds,
  DEFAULT_NOW,
  type DecideInput,
  type RequestText,
  splitMix32,
} from '../simulate/index.js';
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

/** The text of such a time. */
export function timeText(time: bigint): string {
  const second = new Date(Number(time / NS_PER_MS)).toISOString().slice(0, 19);
  return `${second}.${String(time % (NS_PER_MS * 1000n)).padStart(9, '0')}Z`;
}

function requestOf({ request, to }: TrafficRecord): RequestText | undefined {
  if (request === undefined) return undefined;
  const { method, path, version, headers = [['host', to.replace(/:\d+$/, '')]] } = request;
  return version === undefined
    ? { method, target: path, headers }
    : { method, target: path, headers, version };
}

/** Null where the text names no address and port: then the draw chooses. */
export function boundPlace({
  cluster = null,
  endpoint,
}: {
  readonly cluster?: string | null;
  readonly endpoint: string;
}): BoundPlace | null {
  const found = /^\[?(.+?)\]?:(\d{1,5})$/.exec(endpoint);
  const address = found === null ? null : parseAddress(found[1] ?? '');
  return address === null ? null : { cluster, address, port: Number(found?.[2]) };
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
  const { healthy, bound } = record;
  if (healthy === undefined && bound === undefined) {
    return request === undefined ? input : { ...input, request };
  }
  const place = bound === undefined ? null : boundPlace(bound);
  return {
    ...input,
    ...(request === undefined ? {} : { request }),
    ...(healthy === undefined ? {} : { healthy }),
    ...(place === null ? {} : { bound: place }),
  };
}
