/**
 * How the answers of several policies become one decision. The one statement of the rule: the
 * simulator calls it, compiler/lower/dispatcher.ts is its compiled form, and a test compares the
 * two over every combination.
 *
 * Enforcing policies, in index order: the first Deny decides; else the first Allow; else, where a
 * policy that can answer Allow is attached, Deny (noAllow); else the bundle's default. A policy
 * that stopped early, or whose answer is no verdict, counts as the bundle's `failure` says. Audit
 * marks; shadow policies only report.
 */
import {
  NO_POLICY,
  REASON,
  type ReasonName,
  ROUTE_MASK,
  ROUTE_STOPPED,
  STOPPED,
  VERDICT,
  VERDICT_BITS,
  VERDICT_MASK,
} from '../abi/index.js';
import type { Outcome } from './manifest.js';

export interface PolicyAnswer {
  readonly policy: number;
  /** The 32-bit value that the policy's function returned, STOPPED codes included. */
  readonly value: number;
}
export interface CombineRules {
  readonly policies: readonly {
    readonly index: number;
    readonly mode: 'enforce' | 'shadow';
    readonly canAllow: boolean;
  }[];
  readonly default: Outcome;
  readonly failure: { readonly trap: Outcome; readonly fuel: Outcome };
}
export interface Decision {
  readonly verdict: Outcome;
  readonly site: number;
  readonly policy: number; // NO_POLICY where none decided
  readonly reason: ReasonName;
  readonly audited: bigint;
  readonly shadowAllow: bigint;
  readonly shadowDeny: bigint;
}

interface Spoken {
  readonly as: 'allow' | 'deny';
  readonly site: number;
  readonly reason: ReasonName;
}
type Read = Spoken | { readonly as: 'pass' | 'audit' };

function readAnswer(value: number, failure: CombineRules['failure']): Read {
  const code = value & VERDICT_MASK;
  const site = value >>> VERDICT_BITS;
  switch (code) {
    case VERDICT.allow:
      return { as: 'allow', site, reason: 'policy' };
    case VERDICT.deny:
      return { as: 'deny', site, reason: 'policy' };
    case VERDICT.pass:
      return { as: 'pass' };
    case VERDICT.audit:
      return { as: 'audit' };
    case STOPPED.fuel:
      return { as: failure.fuel, site: 0, reason: 'fuel' };
    default:
      return { as: failure.trap, site: 0, reason: 'trap' };
  }
}

function bitOf(policy: number): bigint {
  return 1n << BigInt(policy);
}

/** Combines the answers of all attached policies (in index order) into one decision. */
export function combine(rules: CombineRules, answers: readonly PolicyAnswer[]): Decision {
  let deny: Spoken | null = null;
  let allow: Spoken | null = null;
  let denier = NO_POLICY;
  let allower = NO_POLICY;
  let allowCapable = false;
  let audited = 0n;
  let shadowAllow = 0n;
  let shadowDeny = 0n;
  for (const { policy, value } of answers) {
    // Mostly an index is a position; millions of decisions are combined here.
    const near = rules.policies[policy];
    const rule = near?.index === policy ? near : rules.policies.find((p) => p.index === policy);
    if (rule === undefined) continue;
    const read = readAnswer(value, rules.failure);
    if (read.as === 'audit') audited |= bitOf(policy);
    if (rule.mode === 'shadow') {
      if (read.as === 'allow') shadowAllow |= bitOf(policy);
      if (read.as === 'deny') shadowDeny |= bitOf(policy);
      continue;
    }
    allowCapable ||= rule.canAllow;
    if (read.as === 'deny' && deny === null) {
      deny = read;
      denier = policy;
    }
    if (read.as === 'allow' && allow === null) {
      allow = read;
      allower = policy;
    }
  }
  const spoken = deny ?? allow;
  if (spoken !== null) {
    const { as: verdict, site, reason } = spoken;
    const policy = deny === null ? allower : denier;
    return { verdict, site, policy, reason, audited, shadowAllow, shadowDeny };
  }
  const verdict = allowCapable ? 'deny' : rules.default;
  const reason = allowCapable ? 'noAllow' : 'default';
  return { verdict, site: 0, policy: NO_POLICY, reason, audited, shadowAllow, shadowDeny };
}

export interface RouteAnswer extends PolicyAnswer {
  readonly firstRoute: number;
  /** How many routes the policy declares. */
  readonly routes: number;
}

/**
 * The bundle-wide route, `site << 16 | number`, from the answers of the attached enforcing policies
 * in index order; 0 where none has an opinion, ROUTE_STOPPED where the deciding one stopped.
 */
export function combineRoutes(answers: readonly RouteAnswer[]): number {
  for (const answer of answers) {
    const route = answer.value & ROUTE_MASK;
    if (route === 0) continue;
    if (route <= answer.routes) return (answer.value + answer.firstRoute) >>> 0;
    return route === ROUTE_STOPPED.fuel ? ROUTE_STOPPED.fuel : ROUTE_STOPPED.trap;
  }
  return 0;
}

/** The number that stands in struct weft_decision for a reason. */
export function reasonNumber(reason: ReasonName): number {
  return REASON[reason];
}
