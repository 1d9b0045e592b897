/** What becomes of a connection, in the words of `weft simulate -o json`. */
import type { ReasonName, RouteKind } from '../../compiler/abi/index.js';
import type { Address } from '../discovery/index.js';
import type { RequestText } from './request.js';

/** Cluster and endpoint of a connection that was made. */
export interface BoundPlace {
  /** By name; null where it was not told. A request without a route of its own goes there. */
  readonly cluster: string | null;
  readonly address: Address;
  readonly port: number;
}

/** The whole input of a decision: nothing else may vary. Addresses and names are resolved. */
export interface DecideInput {
  /** Where the connection comes from; a workload's index in the world, else null. */
  readonly source: { readonly workload: number | null; readonly address: Address | null };
  /** Where the application connects to. */
  readonly destination: { readonly address: Address; readonly port: number };
  readonly protocol: 6 | 17;
  /** The connection's draw for routing policies, u32. */
  readonly random: number;
  /** The draw that chooses the endpoint: schedule[pick % length], u32. */
  readonly pick: number;
  /** ns since 1970-01-01 UTC. */
  readonly now: bigint;
  /** Where the connection went when it was seen: that endpoint is chosen wherever it may be. */
  readonly bound?: BoundPlace;
  /** A request on the connection; absent where the connection itself is asked about. */
  readonly request?: RequestText;
  /** Health by workload name, where it differs from the world's. */
  readonly healthy?: Readonly<Record<string, boolean>>;
}

export interface ShadowVerdict {
  readonly policy: string;
  readonly verdict: 'allow' | 'deny';
}

/** One answer; keys and order as interfaces.md, then what explains it. */
export interface Outcome {
  readonly verdict: 'allow' | 'deny';
  readonly cluster: string | null;
  readonly endpoint: string | null;
  /** `file:line` of the deciding site by its file's name; `default` where none spoke; else the reason. */
  readonly rule: string;
  readonly site: number | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly audit: boolean;
  readonly shadow: readonly ShadowVerdict[];
  /** Of the reply to a request, 200 where it is forwarded; null for connections. */
  readonly status: number | null;
  /** What is changed in a request that is forwarded: `set x-a: b`, `path /y`, `host h`. */
  readonly edits: readonly string[];
  /** Where a redirect leads. */
  readonly location: string | null;
  /** What stopped a policy early, by name; null where nothing did. */
  readonly trap: string | null;
  readonly fuel: number;
  readonly reason: ReasonName;
  /** The end at which it was decided. */
  readonly side: 'client' | 'server';
  readonly service: string | null;
  /** `file:line` of the routing site; null where no policy had an opinion. */
  readonly route: string | null;
  /** What the route of a request is; null where no policy had an opinion, and for connections. */
  readonly routeKind: RouteKind | null;
  readonly policy: string | null;
}
