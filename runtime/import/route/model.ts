/**
 * What routes of other meshes come down to: for each service, groups of choices that are tried in order,
 * and what becomes of a request or connection that meets one.
 */
import type { Position } from '../../../compiler/diagnostic/index.js';
import type { Condition } from '../condition.js';

export interface KnownCluster {
  /** In full, as `reviews.prod/v1`. */
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}
export interface KnownPort {
  readonly port: number;
  readonly target: number;
  readonly http: boolean;
}
/** A service of the world, as far as routes need to know it. */
export interface KnownService {
  readonly clusters: readonly KnownCluster[];
  readonly ports: readonly KnownPort[];
  readonly balance: 'round-robin' | 'random';
}
/** By name.namespace. */
export type Services = ReadonlyMap<string, KnownService>;

/** Calls on `edit(...)`, as they are written. */
export type Edits = readonly string[];

export type ArmTarget =
  | { readonly kind: 'cluster'; readonly name: string; readonly edits: Edits }
  /** All endpoints of a service that has several clusters: nameable only by the service's own routes. */
  | { readonly kind: 'all'; readonly service: string; readonly edits: Edits }
  /** Answered here: the expression that declares it. */
  | { readonly kind: 'answer'; readonly name: string; readonly call: string };

export interface Arm {
  readonly target: ArmTarget;
  readonly weight: number;
  readonly at: Position;
}

export interface Target {
  readonly arms: readonly Arm[];
  /** What keeps a client with its arm: an expression; null for the draw. */
  readonly key: string | null;
}

export interface Choice {
  /** What the comment says; its place is added. */
  readonly id: string;
  readonly at: Position;
  /** Whom it is for: what is known of a connection before its requests. */
  readonly client: Condition;
  readonly match: Condition;
  readonly target: Target;
}

/** Choices that are tried in order; where none holds, `otherwise` does, for some clients. */
export interface Group {
  readonly guard: Condition;
  readonly choices: readonly Choice[];
  readonly clients: Condition;
  /** The expression that declares it; null where the next group is asked. */
  readonly otherwise: string | null;
}

export interface ServiceRoutes {
  readonly service: string;
  readonly requests: readonly Group[];
  readonly connections: readonly Group[];
}
