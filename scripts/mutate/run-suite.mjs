// Runs one tier in a copy and reads what failed. `case/cases#regex` runs only the case files that match. A run that is
// not whole ends behind the first test that fails.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findLeftovers, removeLeftovers } from '../leftovers.mjs';
import { QUICK_COMPILE } from '../quick-compile.mjs';

const running = new Set();

/** Ends every run that is under way, with all that it started. */
export function endRuns() {
  for (const child of running) {
    try {
      process.kill(-child.pid, 'SIGKILL');
      removeLeftoversOf(child.pid);
    } catch {} // it has ended already
  }
}

/** A run that is ended takes nothing away; tests name what they make by the process that they run in. */
function removeLeftoversOf(pid) {
  removeLeftovers(findLeftovers(pid));
}

/** uvu's report of a failure: the test's name, then the message, which an assertion ends with its operator. */
const HEAD = / FAIL +\S.*? {2}?"(.*)"\n/;
const OPERATOR = / {2}\(\w+(?:\.\w+)?\)$/m;

function readFailures(output) {
  const parts = output.split(new RegExp(HEAD, 'g')).slice(1);
  return parts.flatMap((name, i) => {
    if (i % 2 === 1) return [];
    const text = parts[i + 1] ?? '';
    const message = (text.split('\n')[0] ?? '').trim();
    return [{ name, message, isAssertion: OPERATOR.test(text) }];
  });
}

/** What a run says, for messages. */
export function describeRun({ passed, failed, reported, failures }) {
  const first = failures[0];
  const why = first === undefined ? '' : `, first: "${first.name}" ${first.message}`;
  return reported ? `${failed} failed, ${passed} passed${why}` : `no report${why}`;
}

/** Runs `tier`, `tier/file` or `tier/file#regex` in the tree at `root`; what takes longer than the limit is ended: a fault may make a loop endless. */
export async function runSuite(root, suite, { limitSeconds, isWhole }) {
  const [tier, cases = ''] = suite.split('#');
  const report = join(root, 'report.json');
  rmSync(report, { force: true });
  const child = spawn(
    process.execPath,
    [...QUICK_COMPILE, join(root, 'dist/test/run-tier.js'), tier, report],
    {
      cwd: root,
      env: {
        ...process.env,
        NO_COLOR: '1',
        WEFT_BLESS: '',
        WEFT_CASES: cases,
        WEFT_BAIL: isWhole ? '' : '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill(-child.pid, 'SIGKILL');
  }, limitSeconds * 1000);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  running.delete(child);
  removeLeftoversOf(child.pid);
  const reported = existsSync(report);
  const counts = reported ? JSON.parse(readFileSync(report, 'utf8')) : { passed: 0, failed: 0 };
  return { ...counts, reported, isLate, limitSeconds, output, failures: readFailures(output) };
}
