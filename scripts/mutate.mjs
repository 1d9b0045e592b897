// Seeds one fault after the other into a copy of the built tree and runs the tests that should see
// it. A fault that no test sees survives, and the run fails: a hole in the suite is a fault of ours.
// usage: npm run mutate [-- pattern...] [--no-build] [--list | --stale]     (a pattern is a part of `class name file`)
// --stale only checks that each fault's text still stands once in its file.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findStale } from './mutate/find-stale.mjs';
import { judge } from './mutate/judge.mjs';
import { MUTANTS } from './mutate/mutants.mjs';
import { describeRun, endRuns, runSuite } from './mutate/run-suite.mjs';
import { WorkCopy } from './mutate/work-copy.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const WORKERS = Math.min(2, availableParallelism());
const EXIT = { survived: 1, unsupported: 4, usage: 64, interrupted: 130 };

const words = process.argv.slice(2);
const flags = new Set(words.filter((word) => word.startsWith('--')));
const patterns = words.filter((word) => !word.startsWith('--'));
const label = ({ class: kind, name, file }) => `${kind}: ${name} (${file})`;
const chosen = MUTANTS.filter(
  (mutant) => patterns.length === 0 || patterns.some((part) => label(mutant).includes(part)),
);
for (const flag of flags) {
  if (!['--no-build', '--list', '--stale'].includes(flag)) {
    console.error(`unknown flag \`${flag}\`; known: --no-build, --list, --stale`);
    process.exit(EXIT.usage);
  }
}
if (chosen.length === 0) {
  console.error(`no seeded fault matches ${patterns.map((part) => `\`${part}\``).join(', ')}`);
  process.exit(EXIT.usage);
}
if (flags.has('--list')) {
  for (const mutant of chosen) console.log(label(mutant));
  process.exit(0);
}
const stale = findStale(root, chosen);
if (stale.length > 0) {
  for (const { mutant, count } of stale) {
    console.error(`stale   ${label(mutant)}: its text occurs ${count} times, not once`);
  }
  process.exit(EXIT.survived);
}
if (flags.has('--stale')) process.exit(0);
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

if (!flags.has('--no-build')) {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    stdio: 'inherit',
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}

const started = Date.now();
copies.push(new WorkCopy(root, chosen));
for (let i = 1; i < Math.min(WORKERS, chosen.length); i++) {
  copies.push(new WorkCopy(root, chosen, copies[0]));
}
/** Runs tasks on the copies, each copy one at a time. */
async function spread(tasks) {
  const queue = [...tasks];
  const work = async (copy) => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task(copy);
  };
  await Promise.all(copies.map(work));
}

/** Each tier once, with the case files of all faults. */
function baseline() {
  const files = new Map();
  for (const { suite } of chosen) {
    const [tier, cases = null] = suite.split('#');
    files.set(tier, [...(files.get(tier) ?? []), cases].filter(Boolean));
  }
  return [...files].map(([tier, cases]) =>
    cases.length === 0 ? tier : `${tier}#${[...new Set(cases)].join('|')}`,
  );
}

let isGreen = true;
await spread(
  baseline().map((suite) => async (copy) => {
    const run = await runSuite(copy.root, suite);
    if (run.failed === 0 && run.passed > 0) return;
    isGreen = false;
    console.error(`error: without any fault ${suite} is not green: ${describeRun(run)}`);
    console.error(run.output.slice(-4000));
  }),
);
if (!isGreen) process.exit(EXIT.survived);

let killed = 0;
await spread(
  chosen.map((mutant) => async (copy) => {
    const { verdict, detail } = await judge(copy, mutant);
    if (verdict === 'killed') killed += 1;
    console.log(`${verdict.padEnd(8)} ${label(mutant)}: ${detail}`);
  }),
);
console.error(`${((Date.now() - started) / 1000).toFixed(0)} s`);
console.log(`${killed} of ${chosen.length} killed`);
process.exitCode = killed === chosen.length ? 0 : EXIT.survived;
