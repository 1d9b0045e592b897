/** `fault` of a VirtualService: requests that are aborted are answered here; a delay cannot be kept. */
import type { Position } from '../../../compiler/diagnostic/index.js';
import type { Fields, Findings } from '../fields.js';
import { respondCall } from './read-redirect.js';

export interface Abort {
  readonly at: Position;
  /** Of a hundred, more than none. */
  readonly percent: number;
  readonly call: string;
}

/** Steps of a percentage: what Envoy counts in. */
export const PERCENT_STEPS = 10_000;

/** `percentage: { value }`, or the older `percent`; nothing of either is nobody. */
function percentOf(fields: Fields, findings: Findings): number {
  const map = fields.map('percentage');
  const value = map?.number('value') ?? null;
  map?.end();
  const older = fields.number('percent');
  const given = value ?? older;
  const percent = given?.number ?? 0;
  if (given !== null && (percent < 0 || percent > 100)) {
    findings.error('W503', given.at, 'the percentage is not between 0 and 100');
  }
  return Math.round(percent * PERCENT_STEPS) / PERCENT_STEPS;
}

/** What is aborted; null where nothing is. */
export function readFault(fields: Fields | null, findings: Findings): Abort | null {
  if (fields === null) return null;
  const delay = fields.map('delay');
  if (delay !== null && percentOf(delay, findings) > 0) {
    findings.error('W504', delay.at, 'requests cannot be held back', 'delay them in the service');
  }
  delay?.skip('fixedDelay', 'exponentialDelay');
  delay?.end();
  const abort = fields.map('abort');
  fields.end();
  if (abort === null) return null;
  const percent = percentOf(abort, findings);
  const status = abort.number('httpStatus');
  for (const name of ['grpcStatus', 'http2Error'] as const) {
    if (abort.has(name)) findings.error('W504', abort.place(name), `\`${name}\` is of HTTP/2`);
  }
  abort.end();
  const code = status?.number ?? 500;
  if (!Number.isInteger(code) || code < 200 || code > 599) {
    findings.error('W504', status?.at ?? abort.at, 'a reply has a status from 200 to 599');
  }
  if (percent === 0) return null;
  return { at: abort.at, percent, call: respondCall(code, 'fault filter abort') };
}
