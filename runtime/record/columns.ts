/**
 * Decisions as numbers, one row of COLUMN.size words each: what millions of them are counted and
 * compared by, without making an object of any.
 */
import { policyWords, REASON, type RouteKind, VERDICT } from '../../compiler/abi/index.js';
import type { Flow } from '../simulate/index.js';

/** Words of a row. Where nothing is, -1: also a site, a route and a status of 0. */
export const COLUMN = {
  /** VERDICT; 0: not decided, because the world does not know an end of it. */
  verdict: 0,
  /** REASON. */
  reason: 1,
  site: 2,
  /** Index of the policy. */
  policy: 3,
  routeSite: 4,
  /** ROUTE_KINDS index of what the request's route is. */
  routeKind: 5,
  /** Index of the plan, as are the next two. */
  service: 6,
  cluster: 7,
  /** Workload. */
  destination: 8,
  port: 9,
  /** 1: the receiving end decided. */
  side: 10,
  audit: 11,
  /** Bits of the policies in shadow mode, the lowest word first. */
  shadowAllow: 12,
  shadowDeny: 16,
  /** The port that a request asks for where no node looks at it, having no HTTP; else 0. */
  unseen: 20,
  fuel: 21,
  size: 22,
} as const;

export const ROUTE_KINDS: readonly RouteKind[] = ['cluster', 'reply', 'redirect', 'waypoint'];

const NONE = -1;
const HIGH = 32n;

function writeMask(out: Int32Array, at: number, mask: bigint): void {
  if (mask === 0n) return;
  for (const [i, word] of policyWords(mask).entries()) {
    out[at + 2 * i] = Number(BigInt.asIntN(32, word));
    out[at + 2 * i + 1] = Number(BigInt.asIntN(32, word >> HIGH));
  }
}

/** Writes the row of a flow that has ended into words that are 0. */
export function writeColumns(out: Int32Array, row: number, flow: Flow): void {
  const at = row * COLUMN.size;
  const { end, record, answer, input } = flow;
  if (end === null) return;
  out[at + COLUMN.verdict] = VERDICT[end.verdict];
  out[at + COLUMN.reason] = REASON[end.reason];
  out[at + COLUMN.site] = record === null || record.site === 0 ? NONE : record.site;
  out[at + COLUMN.policy] = record === null ? NONE : record.policy | 0;
  out[at + COLUMN.routeSite] = flow.routeSite === 0 ? NONE : flow.routeSite;
  out[at + COLUMN.routeKind] = answer === null ? NONE : ROUTE_KINDS.indexOf(answer.kind);
  out[at + COLUMN.service] = flow.service?.index ?? NONE;
  out[at + COLUMN.cluster] = flow.cluster?.index ?? NONE;
  out[at + COLUMN.destination] = flow.destination?.index ?? NONE;
  out[at + COLUMN.port] = flow.endpoint.port;
  out[at + COLUMN.side] = flow.side === 'server' ? 1 : 0;
  const { address, port } = input.destination;
  const isSeen = input.request === undefined || flow.isHttp(address, port, input.protocol);
  out[at + COLUMN.unseen] = isSeen ? 0 : port;
  out[at + COLUMN.fuel] = flow.fuel;
  if (record === null) return;
  out[at + COLUMN.audit] = record.audited === 0n ? 0 : 1;
  writeMask(out, at + COLUMN.shadowAllow, record.shadowAllow);
  writeMask(out, at + COLUMN.shadowDeny, record.shadowDeny);
}

/** Whether two rows say the same of a record, but for fuel. */
export function isSameRow(a: Int32Array, b: Int32Array, row: number): boolean {
  const at = row * COLUMN.size;
  for (let i = 0; i < COLUMN.fuel; i += 1) if (a[at + i] !== b[at + i]) return false;
  return true;
}
