/** A node's own words about itself, held against their form: they come from outside and go into the store. */
import type { NodeReport } from '../rollout/index.js';
import { MAX_REFUSAL_CHARS } from './wire/index.js';

/** What a node says; the rest of a report is the control plane's to know. */
export type Said = Pick<
  NodeReport,
  'agent' | 'kernel' | 'active' | 'counters' | 'rules' | 'shadow' | 'drift'
>;

/** Lines of rules and of differences that are kept of a report. */
export const MAX_RULES = 256;

class Malformed extends Error {}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed();
  return value as Fields;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed();
  return value.slice(0, MAX_REFUSAL_CHARS);
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed();
  return value;
}

function list<T>(value: unknown, read: (item: Fields) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Malformed();
  return value.slice(0, MAX_RULES).map((item) => read(fields(item)));
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}

function readActive(value: unknown): NonNullable<Said['active']> {
  const { digest, name, generation } = fields(value);
  return { digest: text(digest), name: text(name), generation: count(generation) };
}

function readShadow(value: unknown): NonNullable<Said['shadow']> {
  const { digest, same, different, lost, rules } = fields(value);
  return {
    ...{ digest: text(digest), same: count(same), different: count(different), lost: count(lost) },
    rules: list(rules, (r) => ({
      old: text(r['old']),
      new: text(r['new']),
      count: count(r['count']),
    })),
  };
}

/** Reads a report; null where it is none. */
export function readReport(json: string): Said | null {
  try {
    const said = fields(JSON.parse(json));
    const { allowed, denied, lost } = fields(said['counters']);
    return {
      agent: text(said['agent']),
      kernel: text(said['kernel']),
      active: orNull(said['active'], readActive),
      counters: { allowed: count(allowed), denied: count(denied), lost: count(lost) },
      rules: list(said['rules'], ({ rule, policy, verdict, count: n }) => ({
        ...{ rule: text(rule), policy: text(policy), verdict: text(verdict), count: count(n) },
      })),
      shadow: orNull(said['shadow'], readShadow),
      drift: orNull(said['drift'], text),
    };
  } catch {
    return null;
  }
}
