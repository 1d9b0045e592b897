// `npm run bench -- [-o json] [group...]`: builds, then measures. Needs root and a quiet machine.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const { kernel, why } = setup();
if (!kernel) {
  console.error(`benchmarks run in the kernel: ${why}`);
  process.exit(4);
}
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const built = spawnSync(process.execPath, [path('build.mjs')], { stdio: ['ignore', 2, 2] });
if (built.status !== 0) process.exit(built.status ?? 1);
const done = spawnSync(
  process.execPath,
  [path('../dist/test/bench/main.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exit(done.status ?? 1);
