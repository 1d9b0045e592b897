// One seeded fault: into the copy, its tests, and out again. What counts as a kill is strict: the
// tests ran, some still pass, and at least one failed because it compared and found a difference.
import { describeRun, runSuite } from './run-suite.mjs';

/** Judges a fault: `killed`, `survived`, or `invalid` (it broke the build or the run instead). */
export async function judge(copy, mutant) {
  const problem = await copy.seed(mutant);
  try {
    if (problem !== null) return { verdict: 'invalid', detail: problem };
    const run = await runSuite(copy.root, mutant.suite);
    if (!run.reported)
      return { verdict: 'invalid', detail: `${mutant.suite} ended early: ${describeRun(run)}` };
    if (run.failed === 0) return { verdict: 'survived', detail: `${mutant.suite} passes` };
    const found = run.failures.find((failure) => failure.isAssertion);
    if (found === undefined) {
      return { verdict: 'invalid', detail: `nothing was compared: ${describeRun(run)}` };
    }
    if (run.passed === 0) {
      return { verdict: 'invalid', detail: `every test failed: ${describeRun(run)}` };
    }
    const detail = `by "${found.name}" (${run.failed} of ${run.failed + run.passed} in ${mutant.suite})`;
    return { verdict: 'killed', detail };
  } finally {
    copy.restore(mutant);
  }
}
