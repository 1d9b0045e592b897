/** What became of tests, whoever wrote them: a case of a scenario or a `test(...)` beside a policy. */
export interface TestResult {
  readonly file: string;
  /** Line of the case, from 1; of the assertion that failed where one did. */
  readonly line: number;
  readonly name: string;
  readonly isPassed: boolean;
  /** What was expected and what came, a line each; empty where it passed. */
  readonly details: readonly string[];
}

export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
}

export function summarize(results: readonly TestResult[]): TestSummary {
  const passed = results.filter((result) => result.isPassed).length;
  return { passed, failed: results.length - passed };
}
