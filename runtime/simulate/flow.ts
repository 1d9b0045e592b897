/** A connection on its way through the hooks: what is known of it so far. */
import type { ReasonName, RouteTarget } from '../../compiler/abi/index.js';
import type { Address, Plan, PlanCluster, PlanService, PlanWorkload } from '../discovery/index.js';
import type { DecideInput } from './outcome.js';
import type { PlanIndex } from './plan-index.js';
import type { RecordFields } from './record.js';
import type { ParsedRequest } from './request.js';

/** A connection under way. */
export interface Flow {
  readonly input: DecideInput;
  readonly plan: Plan;
  readonly isHttp: PlanIndex['isHttp'];
  readonly source: PlanWorkload | null;
  readonly family: 4 | 6;
  service: PlanService | null;
  cluster: PlanCluster | null;
  /** What a policy's route says of the request; null without an opinion, and for connections. */
  answer: RouteTarget | null;
  /** Site of the routing policy; 0 without an opinion. */
  routeSite: number;
  endpoint: { readonly address: Address; readonly port: number };
  destination: PlanWorkload | null;
  policies: bigint;
  fuel: number;
  trap: string | null;
  record: RecordFields | null;
  end: { readonly verdict: 'allow' | 'deny'; readonly reason: ReasonName } | null;
  side: 'client' | 'server';
  /** Null for a connection that carries no request here. */
  readonly request: ParsedRequest | null;
}
