/** What routes of Gateway API come down to: rules with matches, and what each rule does. */
import type { Position } from '../../../compiler/diagnostic/index.js';

export interface PathMatch {
  readonly kind: 'exact' | 'prefix';
  readonly text: string;
}
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}
export interface RouteMatch {
  readonly path: PathMatch;
  readonly method: string | null;
  readonly headers: readonly NamedValue[];
  readonly query: readonly NamedValue[];
}
/** Calls on `edit(...)`, as they are written. */
export type Edits = readonly string[];
export interface Backend {
  /** name.namespace of the service. */
  readonly service: string;
  readonly weight: number;
  readonly edits: Edits;
  readonly at: Position;
}
export interface RouteRule {
  readonly at: Position;
  readonly matches: readonly RouteMatch[];
  /** A chain of calls on `redirect()`; null where requests are forwarded. */
  readonly redirect: string | null;
  readonly edits: Edits;
  readonly backends: readonly Backend[];
}
export interface ServiceParent {
  /** name.namespace. */
  readonly service: string;
  readonly port: number | null;
}
export interface HttpRoute {
  readonly namespace: string;
  readonly name: string;
  readonly created: string;
  readonly at: Position;
  readonly parents: readonly ServiceParent[];
  readonly rules: readonly RouteRule[];
}
