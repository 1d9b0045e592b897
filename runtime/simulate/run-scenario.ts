/** Runs the cases of a scenario and compares them with what they expect. */

import type { Simulator } from './open-simulator.js';
import type { Outcome } from './outcome.js';
import type { Expectation, Scenario } from './read-scenario.js';

/** One line of `weft simulate -o ndjson`. */
export type CaseResult = { readonly id: string } & Outcome & {
    /** Every key of `expect` held. */
    readonly expected: boolean;
    /** The keys that did not, as `key: want, have`. */
    readonly differences: readonly string[];
  };

export interface ScenarioResult {
  readonly results: readonly CaseResult[];
  readonly summary: { readonly passed: number; readonly failed: number };
}

function isRule(want: string, outcome: Outcome): boolean {
  return want === outcome.rule || want === `${outcome.file}:${outcome.line}`;
}

const listText = (list: readonly string[]): string => `[${list.join('; ')}]`;

/** Compares an outcome with an expectation; a list of differences, empty where all holds. */
export function compareOutcome(expect: Expectation, outcome: Outcome): string[] {
  const rows: [keyof Expectation, unknown, unknown][] = [
    ['verdict', expect.verdict, outcome.verdict],
    ['cluster', expect.cluster, outcome.cluster],
    ['endpoint', expect.endpoint, outcome.endpoint],
    ['reason', expect.reason, outcome.reason],
    ['audit', expect.audit, outcome.audit],
    ['status', expect.status, outcome.status],
    ['location', expect.location, outcome.location],
  ];
  const out = rows
    .filter(([, want, have]) => want !== undefined && want !== have)
    .map(([key, want, have]) => `${key}: expected ${String(want)}, got ${String(have)}`);
  const { edits } = outcome;
  if (expect.edits !== undefined && JSON.stringify(expect.edits) !== JSON.stringify(edits)) {
    out.push(`edits: expected ${listText(expect.edits)}, got ${listText(edits)}`);
  }
  if (expect.rule !== undefined && !isRule(expect.rule, outcome)) {
    out.push(`rule: expected ${expect.rule}, got ${outcome.rule}`);
  }
  return out;
}

/** Runs every case, in order. */
export async function runScenario(
  simulator: Pick<Simulator, 'simulateAll'>,
  scenario: Scenario,
): Promise<ScenarioResult> {
  const outcomes = await simulator.simulateAll(scenario.cases.map(({ input }) => input));
  const results = scenario.cases.flatMap(({ id, expect }, index): CaseResult[] => {
    const outcome = outcomes[index];
    if (outcome === undefined) return [];
    const differences = compareOutcome(expect, outcome);
    return [{ id, ...outcome, expected: differences.length === 0, differences }];
  });
  const passed = results.filter((result) => result.expected).length;
  return { results, summary: { passed, failed: results.length - passed } };
}
