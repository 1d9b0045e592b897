/** Plans all tables and sets of a policy that its code looks into; what nobody asks costs nothing. */
import { type Diagnostic, diagnostic } from '../diagnostic/index.js';
import type {
  CidrDeclaration,
  PatternsDeclaration,
  Registry,
  RulesDeclaration,
  TableDeclaration,
} from '../frontend/types.js';
import { CODES } from './codes.js';
import {
  MAX_PATTERNS,
  MAX_PROBES,
  MAX_REGEX_ENTRIES,
  MAX_REGEX_PLACES,
  MAX_REGEX_STATES,
  MAX_RULE_BOXES,
  MAX_SET_BYTES,
  MAX_SET_PREFIXES,
  MAX_TABLE_ENTRIES,
  MAX_TRANSITIONS,
} from './limits.js';
import { type CidrPlan, planCidr } from './plan-cidr.js';
import { type ExactPlan, exactEntries, planExact } from './plan-exact.js';
import { type KeysPlan, planKeys } from './plan-keys.js';
import { type PatternPlan, planPatterns } from './plan-patterns.js';
import { type PortsPlan, planPorts } from './plan-ports.js';
import { planRegexes } from './plan-regexes.js';
import { planRules, type RulesPlan } from './plan-rules.js';
import { planViews, type ViewPlan } from './plan-views.js';

/** By number of declaration. */
export interface TablePlans {
  readonly tables: ReadonlyMap<number, ExactPlan>;
  readonly cidrs: ReadonlyMap<number, CidrPlan>;
  readonly ports: ReadonlyMap<number, PortsPlan>;
  /** Null for those without entries. */
  readonly patterns: ReadonlyMap<number, PatternPlan | null>;
  /** Tables that are asked with views of a request; null for those without entries. */
  readonly views: ReadonlyMap<number, ViewPlan | null>;
  /** Null for those without keys. */
  readonly keys: ReadonlyMap<number, KeysPlan | null>;
  /** Null for those without rules. */
  readonly rules: ReadonlyMap<number, RulesPlan | null>;
  readonly diagnostics: readonly Diagnostic[];
}
export interface TableUses {
  readonly tables: ReadonlySet<number>;
  readonly cidrs: ReadonlySet<number>;
  readonly ports: ReadonlySet<number>;
  readonly patterns: ReadonlySet<number>;
  readonly views: ReadonlySet<number>;
  readonly keys: ReadonlySet<number>;
  readonly rules: ReadonlySet<number>;
  readonly symbolOf: (text: string) => number;
  /** Bytes that one image of a set may take; at most MAX_SET_BYTES in any case. */
  readonly maxSetBytes: number;
}

/** Plans the used tables; refuses with T101 to T106, T108, T109 at the declaration. */
export function planTables(registry: Registry, uses: TableUses): TablePlans {
  const diagnostics: Diagnostic[] = [];
  const tables = new Map<number, ExactPlan>();
  const views = new Map<number, ViewPlan | null>();
  registry.tables.forEach((table, number) => {
    if (!uses.tables.has(number) && !uses.views.has(number)) return;
    const refusal = checkTable(table);
    if (refusal !== null) {
      diagnostics.push(refusal);
      return;
    }
    if (uses.views.has(number)) views.set(number, planViews(table));
    if (uses.tables.has(number)) tables.set(number, planExact(exactEntries(table, uses.symbolOf)));
  });
  const cidrs = new Map<number, CidrPlan>();
  registry.cidrs.forEach((set, number) => {
    if (!uses.cidrs.has(number)) return;
    const plan = planSet(set, Math.min(uses.maxSetBytes, MAX_SET_BYTES));
    if ('code' in plan) diagnostics.push(plan);
    else cidrs.set(number, plan);
  });
  const ports = new Map<number, PortsPlan>();
  registry.ports.forEach((set, number) => {
    if (uses.ports.has(number)) ports.set(number, planPorts(set));
  });
  const patterns = new Map<number, PatternPlan | null>();
  registry.patterns.forEach((table, number) => {
    if (!uses.patterns.has(number)) return;
    const plan = planPatternTable(table);
    if (plan !== null && 'code' in plan) diagnostics.push(plan);
    else patterns.set(number, plan);
  });
  const keys = new Map<number, KeysPlan | null>();
  registry.keys.forEach((table, number) => {
    if (!uses.keys.has(number)) return;
    const refusal = checkTable(table);
    if (refusal !== null) diagnostics.push(refusal);
    else keys.set(number, planKeys(table, uses.symbolOf));
  });
  const rules = new Map<number, RulesPlan | null>();
  registry.rules.forEach((list, number) => {
    if (!uses.rules.has(number)) return;
    const plan = planRuleList(list, uses.symbolOf);
    if (plan !== null && 'code' in plan) diagnostics.push(plan);
    else rules.set(number, plan);
  });
  return { tables, cidrs, ports, patterns, views, keys, rules, diagnostics };
}

function checkTable({
  name,
  entries,
  at,
}: Pick<TableDeclaration, 'name' | 'at'> & {
  readonly entries: readonly unknown[];
}): Diagnostic | null {
  if (entries.length <= MAX_TABLE_ENTRIES) return null;
  const message = `table \`${name}\` has ${entries.length} entries, at most ${MAX_TABLE_ENTRIES}`;
  return diagnostic('T101', message, { at, help: CODES['T101']?.help ?? null });
}

function planSet(set: CidrDeclaration, maxBytes: number): CidrPlan | Diagnostic {
  const { name, prefixes, at } = set;
  if (prefixes.length > MAX_SET_PREFIXES) {
    const message = `address set \`${name}\` has ${prefixes.length} prefixes, at most ${MAX_SET_PREFIXES}`;
    return diagnostic('T102', message, { at, help: CODES['T102']?.help ?? null });
  }
  const message = `address set \`${name}\` would take more than ${maxBytes} bytes`;
  return (
    planCidr(set, maxBytes) ??
    diagnostic('T103', message, { at, help: CODES['T103']?.help ?? null })
  );
}

function planRegexTable(table: PatternsDeclaration): PatternPlan | Diagnostic {
  const plan = planRegexes(table);
  if (typeof plan !== 'string') return plan;
  const most = {
    places: MAX_REGEX_PLACES,
    states: MAX_REGEX_STATES,
    entries: MAX_REGEX_ENTRIES,
  }[plan];
  const message = `the ${table.entries.length} expressions of table \`${table.name}\` make more than ${most} ${plan}`;
  return diagnostic('T106', message, { at: table.at, help: CODES['T106']?.help ?? null });
}

function planRuleList(
  list: RulesDeclaration,
  symbolOf: (text: string) => number,
): RulesPlan | null | Diagnostic {
  const plan = planRules(list, symbolOf);
  if (typeof plan !== 'string') return plan;
  const { name, rules, at } = list;
  const [code, message] = {
    boxes: [
      'T108',
      `the ${rules.length} rules of list \`${name}\` come to more than ${MAX_RULE_BOXES} combinations`,
    ],
    probes: [
      'T109',
      `the ${rules.length} rules of list \`${name}\` need more than ${MAX_PROBES} look-ups to be told apart`,
    ],
  }[plan] as [string, string];
  return diagnostic(code, message, { at, help: CODES[code]?.help ?? null });
}

function planPatternTable(table: PatternsDeclaration): PatternPlan | null | Diagnostic {
  const { name, entries, at } = table;
  if (entries.length === 0) return null;
  if (table.kind === 'regex') return planRegexTable(table);
  if (entries.length > MAX_PATTERNS) {
    const message = `table \`${name}\` has ${entries.length} patterns, at most ${MAX_PATTERNS}`;
    return diagnostic('T104', message, { at, help: CODES['T104']?.help ?? null });
  }
  const message = `the ${entries.length} patterns of table \`${name}\` make more than ${MAX_TRANSITIONS} transitions`;
  return (
    planPatterns(table) ?? diagnostic('T105', message, { at, help: CODES['T105']?.help ?? null })
  );
}
