// Builds, then runs every tier in a process of its own, two at a time, and adds up. Last line: `N passed, N failed`.
// usage: npm test [-- tier...] [--bless] [--no-build]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLeftovers, removeLeftovers } from './leftovers.mjs';
import { QUICK_COMPILE } from './quick-compile.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// The longest first: two run at a time, and each keeps one processor busy.
const TIERS = ['differential', 'kernel', 'unit', 'http', 'case', 'cli', 'wire', 'file'];
const LANES = Math.min(2, availableParallelism());
const words = process.argv.slice(2);
const flags = new Set(words.filter((w) => w.startsWith('--')));
const asked = words.filter((w) => !w.startsWith('--'));
for (const tier of asked) {
  if (!TIERS.includes(tier.split('/')[0])) {
    console.error(`unknown tier \`${tier}\`; known: ${TIERS.join(', ')}`);
    process.exit(64);
  }
}
if (flags.has('--bless') && process.env.CI) {
  console.error('bless is for people, never for CI');
  process.exit(64);
}
if (!flags.has('--no-build')) setUpAndBuild();

// What is there already is somebody's: a loaded mesh, another run. A run within a run leaves the look to that one,
// whose other tiers make and take away beside it.
const isWithin = process.env.WEFT_TEST_RUN === '1';
const before = new Set(findLeftovers());
let passed = 0;
let failed = 0;

/** Runs one tier to its end; where others run beside it, its output comes whole when it has ended. */
function runTier(tier, isAlone) {
  const report = join(root, 'dist', `report-${tier.replaceAll('/', '-')}.json`);
  rmSync(report, { force: true });
  const started = Date.now();
  if (!isAlone) console.error(`${tier} …`);
  const child = spawn(
    process.execPath,
    [...QUICK_COMPILE, '--enable-source-maps', join(root, 'dist/test/run-tier.js'), tier, report],
    {
      stdio: isAlone ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, WEFT_TEST_RUN: '1', WEFT_BLESS: flags.has('--bless') ? '1' : '' },
    },
  );
  const output = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => output.push(data));
  return new Promise((resolve) => {
    child.once('close', (status) => {
      for (const data of output) process.stdout.write(data);
      const counts = existsSync(report)
        ? JSON.parse(readFileSync(report, 'utf8'))
        : { passed: 0, failed: 0 };
      // A tier that dies, reports nothing, or ran no test is a failure: silence is never success.
      if (status !== 0 && counts.failed === 0) counts.failed += 1;
      if (counts.passed + counts.failed === 0) counts.failed += 1;
      passed += counts.passed;
      failed += counts.failed;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.error(`${tier}: ${counts.passed} passed, ${counts.failed} failed (${seconds} s)`);
      resolve();
    });
  });
}

const waiting = asked.length > 0 ? [...asked] : [...TIERS];
const lanes = Math.min(asked.length > 0 ? 1 : LANES, waiting.length);
async function lane() {
  for (let tier = waiting.shift(); tier !== undefined; tier = waiting.shift()) {
    await runTier(tier, lanes === 1);
  }
}
await Promise.all(Array.from({ length: lanes }, lane));
const left = isWithin ? [] : findLeftovers().filter((thing) => !before.has(thing));
for (const thing of left) console.error(`left behind: ${thing}`);
removeLeftovers(left);
failed += left.length;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
