// `npm run bench -- [-o json] [group...]`: builds, then measures. Needs root and a quiet machine.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUpAndBuild } from './set-up-and-build.mjs';

setUpAndBuild({ needed: 'benchmarks run in the kernel' });
const main = fileURLToPath(new URL('../dist/test/bench/main.js', import.meta.url));
const done = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(done.status ?? 1);
