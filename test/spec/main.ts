/**
 * `npm run test:spec`: the integer part of the WebAssembly specification's own tests, each assertion in the
 * IR evaluator and in the kernel. Options: names of files. See exceptions.ts for what cannot run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { openKernel } from '../../runtime/kernel/index.js';
import { compileHook } from '../differential/kernel-batch.js';
import { runFile, type Totals } from './run-file.js';

const FOLDER = 'test/spec/vectors';
/** Most of the assertions of these run in the kernel. */
const CORE: ReadonlySet<string> = new Set(['i32', 'i64', 'int_exprs']);
const SHARE = 0.95;

const asked = process.argv.slice(2);
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.wast'))
  .map((name) => name.replace('.wast', ''))
  .filter((name) => asked.length === 0 || asked.includes(name));
const bench = { kernel: openKernel(), hook: compileHook() };
const columns = ['assertions', 'evaluator', 'kernel', 'excepted', 'failed'] as const;
type Sums = Map<string, number>;
const row = (file: string, cells: readonly (string | number)[]): string =>
  file.padEnd(20) + cells.map((cell) => String(cell).padStart(11)).join('');
const sum = (counts: Sums): number => [...counts.values()].reduce((a, b) => a + b, 0);

console.log(row('file', columns));
let [passed, failed, assertions] = [0, 0, 0];
const all: Sums = new Map();
for (const file of files) {
  const text = readFileSync(`${FOLDER}/${file}.wast`, 'utf8');
  const totals: Totals = await runFile(bench, text);
  const { excepted, failures } = totals;
  for (const failure of failures.slice(0, 10)) console.error(`${file}.wast:${failure}`);
  failed += failures.length;
  if (CORE.has(file) && totals.kernel < SHARE * totals.assertions) {
    console.error(`${file}.wast: less than ${SHARE * 100} % ran in the kernel`);
    failed += 1;
  }
  const engines = [totals.assertions, totals.evaluator, totals.kernel];
  console.log(row(file, [...engines, sum(excepted), failures.length]));
  for (const [why, n] of excepted) all.set(why, (all.get(why) ?? 0) + n);
  passed += totals.kernel;
  assertions += totals.assertions;
}
console.log(row('all', [assertions, '', passed, sum(all), failed]));
for (const [why, n] of [...all].sort()) console.log(`excepted: ${n} ${why}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
