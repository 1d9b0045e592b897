/**
 * What tests reached of a bundle: rules (written verdicts and routes), predicates (each to hold and not to hold) and
 * entries of declared tables. What can be reached is read from the same IR that is run, so nothing is counted that
 * the kernel does not have either.
 */
import { ROUTE_BITS, VERDICT_BITS } from '../../compiler/abi/index.js';
import type { Manifest, PolicyEntry, PolicyIr } from '../../compiler/index.js';
import { declaredTables, type Place, predicatesOf, type Question } from '../explain/index.js';

export interface RuleCoverage extends Place {
  readonly site: number;
  readonly kind: 'verdict' | 'route';
  /** How often a policy answered with it. */
  readonly hits: number;
}
export interface PredicateCoverage extends Place {
  readonly text: string;
  readonly held: number;
  readonly failed: number;
}
export interface TableCoverage {
  readonly policy: string;
  readonly name: string;
  readonly entries: number;
  readonly hit: number;
  /** Entries that no test looked up, as declared. */
  readonly missed: readonly string[];
}
export interface Coverage {
  readonly rules: readonly RuleCoverage[];
  readonly predicates: readonly PredicateCoverage[];
  readonly tables: readonly TableCoverage[];
  /**
   * Per cent of rules, of both ways of predicates, and of entries; 100 of nothing. The total is of rules and ways:
   * entries are data, and a generated table has more of them than anybody tests.
   */
  readonly percent: {
    readonly rules: number;
    readonly branches: number;
    readonly entries: number;
    readonly total: number;
  };
}

/** Missed entries that are named; a generated table has very many. */
const NAMED_ENTRIES = 50;

interface Ways {
  held: number;
  failed: number;
}

/** Counts questions as they are asked. */
export class CoverageCounter {
  readonly #manifest: Pick<Manifest, 'policies' | 'sites'>;
  readonly #irs: ReadonlyMap<string, PolicyIr>;
  readonly #sites = new Map<number, number>();
  readonly #ways = new Map<string, Ways>();
  readonly #entries = new Map<string, Set<string>>();

  constructor(manifest: Pick<Manifest, 'policies' | 'sites'>, irs: ReadonlyMap<string, PolicyIr>) {
    this.#manifest = manifest;
    this.#irs = irs;
  }

  add(questions: readonly Question[]): void {
    for (const question of questions) {
      const { answer, policy } = question;
      if (answer !== null) {
        const bits = question.export.startsWith('authorize') ? VERDICT_BITS : ROUTE_BITS;
        const site = answer >>> bits;
        this.#sites.set(site, (this.#sites.get(site) ?? 0) + 1);
      }
      for (const { operation, holds, lookUp } of question.steps) {
        if (holds !== null) this.#count(operation, holds);
        if (lookUp !== null && lookUp.entry !== null) {
          const key = `${policy} ${lookUp.kind} ${lookUp.index}`;
          const hit = this.#entries.get(key) ?? new Set();
          this.#entries.set(key, hit.add(lookUp.entry));
        }
      }
    }
  }

  #count(key: string, holds: boolean): void {
    const ways = this.#ways.get(key) ?? { held: 0, failed: 0 };
    if (holds) ways.held += 1;
    else ways.failed += 1;
    this.#ways.set(key, ways);
  }

  coverage(): Coverage {
    const { sites, policies } = this.#manifest;
    const rules = sites.map(({ site, kind, file, line, column }) => ({
      ...{ site, kind, file, line, column },
      hits: this.#sites.get(site) ?? 0,
    }));
    const predicates = [...this.#irs.values()].flatMap((ir) => this.#predicates(ir));
    const tables = policies.flatMap((policy) => this.#tables(policy));
    const hitRules = rules.filter(({ hits }) => hits > 0).length;
    const ways = predicates.flatMap(({ held, failed }) => [held, failed]);
    const hitWays = ways.filter((count) => count > 0).length;
    const entries = tables.reduce((sum, table) => sum + table.entries, 0);
    const hitEntries = tables.reduce((sum, table) => sum + table.hit, 0);
    return {
      rules,
      predicates,
      tables,
      percent: {
        rules: percent(hitRules, rules.length),
        branches: percent(hitWays, ways.length),
        entries: percent(hitEntries, entries),
        total: percent(hitRules + hitWays, rules.length + ways.length),
      },
    };
  }

  /** Each predicate once: inlining may have made several of one. */
  #predicates(ir: PolicyIr): PredicateCoverage[] {
    const found = new Map<string, PredicateCoverage>();
    for (const { operation, at, text } of predicatesOf(ir)) {
      const key = `${at.file}:${at.line}:${at.column} ${text}`;
      const before = found.get(key) ?? { ...at, text, held: 0, failed: 0 };
      const { held, failed } = this.#ways.get(operation) ?? { held: 0, failed: 0 };
      found.set(key, { ...before, held: before.held + held, failed: before.failed + failed });
    }
    return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  #tables(policy: PolicyEntry): TableCoverage[] {
    return declaredTables(policy).map(({ kind, index, name, entries: declared }) => {
      const hit = this.#entries.get(`${policy.name} ${kind} ${index}`) ?? new Set();
      const entries = new Set(declared.map(([text]) => text));
      const missed = [...entries].filter((entry) => !hit.has(entry));
      return {
        ...{ policy: policy.name, name, entries: entries.size, hit: entries.size - missed.length },
        missed: missed.slice(0, NAMED_ENTRIES),
      };
    });
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.round((part * 10_000) / whole) / 100;
}
