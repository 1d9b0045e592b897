/** What routes of Gateway API come down to: rules with matches, and what each rule does. */
import type { RegexNode } from '../../../compiler/abi/index.js';
import type { Position } from '../../../compiler/diagnostic/index.js';
import type { Edits } from '../route/model.js';

export type PathMatch =
  | { readonly kind: 'any' }
  /** `prefix` is one of elements, `start` of the text; in a `shape` `*` is one element. */
  | { readonly kind: 'exact' | 'prefix' | 'start' | 'shape'; readonly text: string }
  | { readonly kind: 'regex'; readonly text: string; readonly node: RegexNode };
export interface NamedValue {
  readonly name: string;
  readonly value: string;
  /** Of a regular expression; null of a text. */
  readonly node: RegexNode | null;
}
export interface RouteMatch {
  readonly path: PathMatch;
  readonly method: string | null;
  readonly headers: readonly NamedValue[];
  readonly query: readonly NamedValue[];
  /** What Gateway API compares first where several match: smaller goes first. */
  readonly rank: readonly number[];
}
export interface Backend {
  /** name.namespace of the service. */
  readonly service: string;
  readonly port: number | null;
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
export interface MeshRoute {
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  readonly namespace: string;
  readonly name: string;
  readonly created: string;
  readonly at: Position;
  readonly parents: readonly ServiceParent[];
  /** Names of hosts that it is for; empty: every host. */
  readonly hosts: readonly string[];
  readonly rules: readonly RouteRule[];
}
