/**
 * What the engine answers for one connection: struct weft_decision as the kernel writes it, then
 * the bundle-wide route and the fuel that all policies together used.
 */
import {
  CONNECTION,
  DECISION,
  type ExportName,
  policiesAt,
  putPolicies,
  REASON,
  REQUEST,
  VERDICT,
} from '../../compiler/abi/index.js';
import type { Decision } from '../../compiler/bundle/combine.js';

export const RECORD: {
  readonly decision: 0;
  readonly route: 64;
  readonly fuel: 68;
  readonly size: 72;
} = { decision: 0, route: 64, fuel: 68, size: 72 };

/** Which of the two questions are asked; `both` asks both with the same struct. */
export type Ask = ConnectionAsk | RequestAsk;
export type ConnectionAsk = 'route' | 'authorize' | 'both';
/** The same of structs weft_request. */
export type RequestAsk = 'routeRequest' | 'authorizeRequest' | 'bothRequest';

/** What an Ask means: which exports are called, with structs of how many bytes. */
export interface Asked {
  readonly route: ExportName | null;
  readonly authorize: 'authorizeConnection' | 'authorizeRequest' | null;
  readonly size: number;
}
const [C, R] = [CONNECTION.size, REQUEST.size];
export const ASKED: Readonly<Record<Ask, Asked>> = {
  route: { route: 'routeConnection', authorize: null, size: C },
  authorize: { route: null, authorize: 'authorizeConnection', size: C },
  both: { route: 'routeConnection', authorize: 'authorizeConnection', size: C },
  routeRequest: { route: 'routeRequest', authorize: null, size: R },
  authorizeRequest: { route: null, authorize: 'authorizeRequest', size: R },
  bothRequest: { route: 'routeRequest', authorize: 'authorizeRequest', size: R },
};

/** Writes a decision at an offset. */
export function writeDecision(view: DataView, at: number, decision: Decision): void {
  view.setUint32(at + DECISION.verdict, VERDICT[decision.verdict], true);
  view.setUint32(at + DECISION.site, decision.site, true);
  view.setUint32(at + DECISION.policy, decision.policy, true);
  view.setUint32(at + DECISION.reason, REASON[decision.reason], true);
  putPolicies(view, at + DECISION.audited, decision.audited);
  putPolicies(view, at + DECISION.shadowAllow, decision.shadowAllow);
  putPolicies(view, at + DECISION.shadowDeny, decision.shadowDeny);
}

/** A record in numbers. */
export interface RecordFields {
  readonly verdict: number;
  readonly site: number;
  readonly policy: number;
  readonly reason: number;
  readonly audited: bigint;
  readonly shadowAllow: bigint;
  readonly shadowDeny: bigint;
  /** site << 16 | route, or ROUTE_STOPPED. */
  readonly route: number;
  readonly fuel: number;
}

/** Reads the n-th record. */
export function readRecord(view: DataView, index: number): RecordFields {
  const at = index * RECORD.size;
  return {
    verdict: view.getUint32(at + DECISION.verdict, true),
    site: view.getUint32(at + DECISION.site, true),
    policy: view.getUint32(at + DECISION.policy, true),
    reason: view.getUint32(at + DECISION.reason, true),
    audited: policiesAt(view, at + DECISION.audited),
    shadowAllow: policiesAt(view, at + DECISION.shadowAllow),
    shadowDeny: policiesAt(view, at + DECISION.shadowDeny),
    route: view.getUint32(at + RECORD.route, true),
    fuel: view.getUint32(at + RECORD.fuel, true),
  };
}
