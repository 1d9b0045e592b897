// Seeds one fault after the other into a copy of the built tree and runs the tests that should see
// it. A fault that no test sees survives, and the run fails: a hole in the suite is a fault of ours.
// usage: npm run mutate [-- pattern...] [--resume] [--minutes=N] [--jobs=N] [--no-build] [--list | --stale]
//   pattern      a part of `class: name (file) in suite`
//   --resume     takes over what earlier runs found, where the fault, its file and its tests are the same
//   --minutes=N  starts no fault behind so many minutes; `--resume` goes on from there
//   --jobs=N     so many side by side (as many as processors, two at most)
//   --stale      only checks that each fault's text still stands once in its file, and that its tests are there
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findStale } from './mutate/find-stale.mjs';
import { judge, judgeCalmly } from './mutate/judge.mjs';
import { KeptVerdicts } from './mutate/kept-verdicts.mjs';
import { MUTANTS } from './mutate/mutants.mjs';
import { describeRun, endRuns, runSuite } from './mutate/run-suite.mjs';
import { WorkCopy } from './mutate/work-copy.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const EXIT = { survived: 1, unsupported: 4, usage: 64, interrupted: 130 };
/** A suite that takes longer than this without a fault is no suite for faults. */
const GREEN_LIMIT_SECONDS = 900;

function readWords() {
  const options = {
    resume: { type: 'boolean' },
    minutes: { type: 'string', default: 'Infinity' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    'no-build': { type: 'boolean' },
    list: { type: 'boolean' },
    stale: { type: 'boolean' },
  };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [jobs, minutes] = [Number(values.jobs), Number(values.minutes)];
    if (!(jobs >= 1) || !(minutes > 0)) throw new Error('--jobs and --minutes are numbers above 0');
    return { flags: values, patterns: positionals, jobs, minutes };
  } catch (error) {
    console.error(error.message);
    process.exit(EXIT.usage);
  }
}

const { flags, patterns, jobs, minutes } = readWords();
const label = ({ class: kind, name, file }) => `${kind}: ${name} (${file})`;
const chosen = MUTANTS.filter(
  (mutant) =>
    patterns.length === 0 ||
    patterns.some((part) => `${label(mutant)} in ${mutant.suite}`.includes(part)),
);
if (chosen.length === 0) {
  console.error(`no seeded fault matches ${patterns.map((part) => `\`${part}\``).join(', ')}`);
  process.exit(EXIT.usage);
}
if (flags.list) {
  for (const mutant of chosen) console.log(label(mutant));
  process.exit(0);
}
const stale = findStale(root, chosen);
if (stale.length > 0) {
  for (const { mutant, why } of stale) console.error(`stale   ${label(mutant)}: ${why}`);
  process.exit(EXIT.survived);
}
if (flags.stale) process.exit(0);
if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  console.error(
    'error: seeding faults needs root on Linux, because the kernel decides half of every case',
  );
  process.exit(EXIT.unsupported);
}

const copies = [];
const cleanUp = () => {
  endRuns();
  for (const copy of copies.splice(0)) copy.remove();
};
process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(EXIT.interrupted));
}

if (!flags['no-build']) setUpAndBuild();

const kept = new KeptVerdicts(root, chosen);
const known = new Map();
for (const mutant of chosen) {
  const verdict = flags.resume ? kept.of(mutant) : null;
  if (verdict !== null) known.set(mutant, verdict);
}
// Faults of one suite follow each other: what is left by a run that ended early is whole suites.
const left = chosen
  .filter((mutant) => !known.has(mutant))
  .sort((a, b) => a.suite.localeCompare(b.suite, 'en'));
const started = Date.now();
const isOver = () => Date.now() - started > minutes * 60_000;
for (let i = 0; i < Math.min(jobs, left.length); i++) {
  copies.push(new WorkCopy(root, left, copies[0]));
}

/** Runs tasks on some copies, each copy one at a time, until time is over. */
async function spread(tasks, on) {
  const queue = [...tasks];
  const work = async (copy) => {
    while (queue.length > 0 && !isOver()) await queue.shift()(copy);
  };
  await Promise.all(on.map(work));
}

/** Suites that are being run without a fault, or were. */
const greens = new Map();
async function runGreen(copy, suite) {
  const before = kept.greenSeconds(suite);
  if (before !== null) return before;
  const from = Date.now();
  const run = await runSuite(copy.root, suite, {
    limitSeconds: GREEN_LIMIT_SECONDS,
    isWhole: true,
  });
  if (run.failed > 0 || run.passed === 0) {
    console.error(`error: without any fault ${suite} is not green: ${describeRun(run)}`);
    console.error(run.output.slice(-4000));
    return null;
  }
  const seconds = (Date.now() - from) / 1000;
  kept.keepGreen(suite, seconds);
  return seconds;
}
/** Seconds of a suite without a fault, null where it is not green. A copy has no fault in it between two tasks. */
function green(copy, suite) {
  const running = greens.get(suite) ?? runGreen(copy, suite);
  greens.set(suite, running);
  return running;
}

function tell(mutant, result) {
  known.set(mutant, { ...result, isOlder: false });
  kept.keep(mutant, label(mutant), result);
  const { verdict, detail } = result;
  console.log(`${verdict.padEnd(8)} ${known.size}/${chosen.length} ${label(mutant)}: ${detail}`);
}

const unclear = [];
await spread(
  left.map((mutant) => async (copy) => {
    const seconds = await green(copy, mutant.suite);
    if (seconds === null) return;
    const result = await judge(copy, mutant, seconds);
    if (result.verdict === 'unclear') unclear.push({ mutant, seconds });
    else tell(mutant, result);
  }),
  copies,
);
// What was unclear may only have had too little time: again, alone.
await spread(
  unclear.map(({ mutant, seconds }) => async (copy) => {
    tell(mutant, await judgeCalmly(copy, mutant, seconds));
  }),
  copies.slice(0, 1),
);

const taken = chosen.length - left.length;
const older = [...known.values()].filter(({ isOlder }) => isOlder).length;
const alive = chosen.filter((mutant) => known.get(mutant)?.verdict !== 'killed');
for (const mutant of alive)
  console.error(`open     ${label(mutant)}: ${known.get(mutant)?.detail ?? 'not run'}`);
console.error(
  `${((Date.now() - started) / 1000).toFixed(0)} s, ${known.size - taken} run; ${taken} taken over, ${older} of them from before something changed that their tests reach`,
);
console.log(`${chosen.length - alive.length} of ${chosen.length} killed`);
process.exitCode = alive.length === 0 ? 0 : EXIT.survived;
