/** The cases of a scenario as tests. */

import type { World } from '../discovery/index.js';
import { compareOutcome, type Scenario } from '../simulate/index.js';
import type { AskedOnce, DecideNow, TestRun } from './asked.js';
import type { TestResult } from './result.js';

/** Runs the cases whose name `isWanted`. */
export function runScenarioTests(
  scenario: Scenario,
  world: World,
  decide: DecideNow,
  isWanted: (name: string) => boolean,
): TestRun {
  const results: TestResult[] = [];
  const asked: AskedOnce[] = [];
  for (const { id, input, expect, at } of scenario.cases) {
    if (!isWanted(id)) continue;
    const outcome = decide(world, input);
    const details = compareOutcome(expect, outcome);
    asked.push({ result: results.length, world, input, outcome });
    results.push({
      ...{ file: scenario.file, line: at?.line ?? 1, name: id },
      ...{ isPassed: details.length === 0, details },
    });
  }
  return { results, asked };
}
