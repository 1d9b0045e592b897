/** What operators ask of a control plane: the verbs are written against this, and the gRPC client is one of it. */
import type { EventRecord } from '../probe/index.js';
import type { Change } from './change.js';
import type { NodeReport, RolloutDocument } from './types.js';

/** Where the control planes are, and who asks: paths of PEM files. */
export interface AdminPlace {
  /** HOST:PORT, tried in turn. */
  readonly control: readonly string[];
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Applying {
  readonly name: string;
  readonly digest: string;
  /** Text of a plan, read again where it is applied. */
  readonly plan: string;
}

export interface EventFilter {
  readonly node?: string;
  readonly verdict?: 'allow' | 'deny';
  readonly workload?: string;
}

/** All that is known at one moment. */
export interface Watched {
  readonly rollouts: readonly RolloutDocument[];
  readonly nodes: readonly NodeReport[];
  /** By the control plane's clock, which times in documents and reports are of. */
  readonly now: number;
}

/** Rejects with errors that have a `code`; what is refused with `REFUSED` and its diagnostics. */
export interface Admin {
  putBundle(
    bundle: Uint8Array,
    signatures: Uint8Array | null,
  ): Promise<{ readonly digest: string; readonly name: string; readonly version: number | null }>;
  apply(asked: Applying): Promise<RolloutDocument>;
  change(name: string, what: Change): Promise<RolloutDocument>;
  /** Ended rollouts, the newest first. */
  history(name: string): Promise<readonly RolloutDocument[]>;
  state(): Promise<Watched>;
  /** The whole state at first, then at each change, at most twice a second. */
  watch(signal: AbortSignal): AsyncIterable<Watched>;
  events(filter: EventFilter, signal: AbortSignal): AsyncIterable<EventRecord>;
  close(): Promise<void>;
}
