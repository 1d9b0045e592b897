export type { AskedOnce, DecideNow, TestRun } from './asked.js';
export type { Coverage } from './coverage.js';
export { coverageHtml, coverageLcov, coverageText } from './coverage-report.js';
export { faultResults, githubReport, junitReport, tapReport, textReport } from './report.js';
export { summarize, type TestResult, type TestSummary } from './result.js';
export { runAssemblyTests } from './run-assembly-tests.js';
export { runScenarioTests } from './run-scenario-tests.js';
