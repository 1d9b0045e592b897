/** What AuthorizationPolicies come down to before they are written as policies. */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { all, any, type Condition, FALSE } from '../condition.js';

/** The workloads that an object is for: all of these hold. */
export interface Scope {
  /** Null: every namespace. */
  readonly namespace: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** What else has to hold of the destination, which attaching does not ask; its text tells scopes apart. */
  readonly more?: { readonly text: string; readonly condition: Condition };
}

/** One field of a source or operation, or one condition. */
export interface Field {
  /** True where a connection does not show it. */
  readonly http: boolean;
  readonly condition: Condition;
}

export interface Rule {
  /** Id as Istio reports it. */
  readonly id: string;
  readonly at: Position;
  /** Any of them; empty: whoever. */
  readonly sources: readonly (readonly Field[])[];
  readonly operations: readonly (readonly Field[])[];
  readonly when: readonly Field[];
}

export type Action = 'allow' | 'deny' | 'audit';

export interface ImportedPolicy {
  readonly id: string;
  readonly at: Position;
  readonly scope: Scope;
  readonly action: Action;
  readonly dryRun: boolean;
  /** False where it lets in without refusing what it does not let in. */
  readonly selects?: boolean;
  readonly rules: readonly Rule[];
}

const whole = (fields: readonly Field[]): Condition => all(...fields.map((f) => f.condition));

function either(choices: readonly (readonly Field[])[]): Condition {
  return choices.length === 0 ? all() : any(...choices.map(whole));
}

/** What a rule asks of a request. */
export function ofRequest({ sources, operations, when }: Rule): Condition {
  return all(either(sources), either(operations), whole(when));
}

/** True where a rule looks at what only requests have. */
export function usesRequests({ sources, operations, when }: Rule): boolean {
  return [...sources.flat(), ...operations.flat(), ...when].some((field) => field.http);
}

/**
 * What a rule asks of a connection that carries no requests, as Envoy's TCP filter does: an ALLOW or AUDIT
 * rule that looks at requests is no rule there; of a DENY rule the fields that do are left out.
 */
export function ofConnection(rule: Rule, action: Action): Condition {
  if (!usesRequests(rule)) return ofRequest(rule);
  if (action !== 'deny') return FALSE;
  return withoutRequests(rule);
}

/** What a rule asks that a connection shows. */
export function withoutRequests(rule: Rule): Condition {
  const kept = (fields: readonly Field[]): readonly Field[] => fields.filter((f) => !f.http);
  return ofRequest({
    ...rule,
    sources: rule.sources.map(kept),
    operations: rule.operations.map(kept),
    when: kept(rule.when),
  });
}
