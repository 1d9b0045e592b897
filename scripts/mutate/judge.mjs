// One seeded fault: into the copy, its tests, and out again. What counts as a kill is strict: the
// tests ran, some still pass, and at least one failed because it compared and found a difference.
import { describeRun, runSuite } from './run-suite.mjs';

/** A run that takes so many times the one without a fault, and these seconds, is ended. */
const ROOM = { quick: { times: 8, seconds: 30 }, calm: { times: 30, seconds: 120 } };

/** What a run says of a fault; `unclear` where only a whole run, with nothing beside it, can tell. */
function verdictOf(run, suite) {
  const unclear = (detail) => ({ verdict: 'unclear', detail });
  if (run.isLate) return unclear(`${suite} did not end in ${run.limitSeconds} s`);
  if (!run.reported) return unclear(`${suite} ended early: ${describeRun(run)}`);
  if (run.failed === 0) return { verdict: 'survived', detail: `${suite} passes` };
  const found = run.failures.find((failure) => failure.isAssertion);
  if (found === undefined) return unclear(`nothing was compared: ${describeRun(run)}`);
  if (run.passed === 0) return unclear(`every test failed: ${describeRun(run)}`);
  return {
    verdict: 'killed',
    detail: `by "${found.name}", behind ${run.passed} that pass, in ${suite}`,
  };
}

async function seededRun(copy, mutant, options) {
  const problem = await copy.seed(mutant);
  try {
    if (problem !== null) return { verdict: 'invalid', detail: problem };
    return verdictOf(await runSuite(copy.root, mutant.suite, options), mutant.suite);
  } finally {
    copy.restore(mutant);
  }
}

const limitOf = ({ times, seconds }, greenSeconds) => Math.ceil(times * greenSeconds + seconds);

/** Judges a fault: `killed`, `survived`, `invalid` (it broke the build), or `unclear`. Ends at the first test that fails. */
export function judge(copy, mutant, greenSeconds) {
  const limitSeconds = limitOf(ROOM.quick, greenSeconds);
  return seededRun(copy, mutant, { limitSeconds, isWhole: false });
}

/** Judges again what was unclear, all tests to their end; what stays unclear is invalid. */
export async function judgeCalmly(copy, mutant, greenSeconds) {
  const limitSeconds = limitOf(ROOM.calm, greenSeconds);
  const { verdict, detail } = await seededRun(copy, mutant, { limitSeconds, isWhole: true });
  return { verdict: verdict === 'unclear' ? 'invalid' : verdict, detail };
}
