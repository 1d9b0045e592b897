/** The record format: a connection or request that was seen, one JSON object a line. */
import type { ReasonName } from '../../compiler/abi/index.js';

/** A request on a connection; characters stand for bytes. */
export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** 1.1 unless it says 1.0. */
  readonly version?: '1.0' | '1.1';
  /** In order; absent: the host of `to`, and no others. */
  readonly headers?: readonly (readonly [string, string])[];
  /** Names of headers whose values stand for others that decide alike; `?` is the query. */
  readonly redacted?: readonly string[];
}

/** What was decided when it was seen. */
export interface RecordedDecision {
  readonly verdict: 'allow' | 'deny';
  readonly reason?: ReasonName | string;
  readonly rule?: string;
  readonly site?: number | null;
  /** `file:line` of the routing site. */
  readonly route?: string | null;
  readonly cluster?: string | null;
  readonly endpoint?: string | null;
  readonly status?: number | null;
  /** Digest of the bundle that decided. */
  readonly bundle?: string | null;
  readonly node?: string;
  readonly hook?: string;
}

/** One line: everything that its decision depends on, but for the bundle and the world. */
export interface TrafficRecord {
  readonly id?: string;
  /** ISO 8601 with zone: the clock that policies see. */
  readonly time?: string;
  /** A workload or an address. */
  readonly from: string;
  /** `workload:port`, `service:port`, `address:port` or `[v6]:port`. */
  readonly to: string;
  readonly protocol?: 'tcp' | 'udp';
  /** Draws, u32; those that are not given are drawn by seed and line. */
  readonly random?: number;
  readonly pick?: number;
  readonly healthy?: Readonly<Record<string, boolean>>;
  /** Where the connection went: that endpoint is chosen wherever it may be. */
  readonly bound?: { readonly cluster?: string; readonly endpoint: string };
  readonly request?: RecordedRequest;
  readonly decided?: RecordedDecision;
}

/** Records that came together, in order. */
export interface RecordBatch {
  readonly records: readonly TrafficRecord[];
  /** Line (or entry, or packet) of each, from 1. */
  readonly lines: readonly number[];
}
