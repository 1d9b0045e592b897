/**
 * Runs the test files of one tier (a folder of test/, or one file below it) under uvu, and writes
 * the counts to a file. uvu alone exits 0 where a file forgets `test.run()` or no file exists; here
 * each file must register at least one suite, and each suite at least one test.
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

declare global {
  var UVU_QUEUE: unknown[][] | undefined;
  var UVU_DEFER: number | undefined;
  var UVU_INDEX: number | undefined;
}

function testFiles(path: string): string[] {
  if (existsSync(`${path}.test.js`)) return [`${path}.test.js`];
  if (!existsSync(path) || !statSync(path).isDirectory()) return [];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const inner = join(path, name);
      if (statSync(inner).isDirectory()) return testFiles(inner);
      return name.endsWith('.test.js') ? [inner] : [];
    });
}

const [tier = '', report = ''] = process.argv.slice(2);
const base = fileURLToPath(new URL('.', import.meta.url));
const files = testFiles(join(base, tier));

// uvu's own protocol for collecting suites before running them (uvu/run does the same).
globalThis.UVU_DEFER = 1;
const queue: unknown[][] = [];
globalThis.UVU_QUEUE = queue;
// uvu reads UVU_DEFER when it is first imported, so it is imported only now.
const { exec } = await import('uvu');
const silent: string[] = [];
for (const [index, file] of files.entries()) {
  globalThis.UVU_INDEX = index;
  const suites: unknown[] = [file.slice(base.length)];
  queue.push(suites);
  await import(pathToFileURL(file).href);
  if (suites.length === 1) silent.push(file);
}

/** With it a run ends at the first test that fails behind one that passed; the suite's own hooks close what is open. */
const ENDS_EARLY = process.env['WEFT_BAIL'] === '1';
/** What uvu writes behind a test, without colours. */
const MARK = { passed: '• ', failed: '✘ ' };
let hasPassed = false;

let passed = 0;
let total = 0;
let skipped = 0;
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
  const text = String(chunk);
  const count = (label: string): number =>
    [...text.matchAll(new RegExp(`${label}:\\s+(\\d+)`, 'g'))].reduce(
      (sum, m) => sum + Number(m[1]),
      0,
    );
  total += count('Total');
  passed += count('Passed');
  skipped += count('Skipped');
  const goesOn = write(chunk, ...rest);
  if (!ENDS_EARLY) return goesOn;
  hasPassed ||= text === MARK.passed;
  if (text !== MARK.failed || !hasPassed) return goesOn;
  // uvu has its report when it marks a test, and a throw from there ends the suite, hooks and counts included.
  for (const suites of queue.splice(0)) suites.length = 0;
  throw new Error('a failure ends the run');
}) as typeof process.stdout.write;

await exec(false);

for (const file of silent) console.error(`FAIL ${file}: registers no test (test.run() forgotten?)`);
if (files.length === 0) console.error(`FAIL ${tier}: no test file`);
// A skipped test is a failure: capabilities are promised (root and this kernel).
if (skipped > 0) console.error(`FAIL ${tier}: ${skipped} skipped`);
const failed = total - passed + silent.length + skipped + (files.length === 0 ? 1 : 0);
writeFileSync(report, JSON.stringify({ passed, failed }));
process.exit(failed > 0 ? 1 : 0);
