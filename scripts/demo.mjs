// `npm run demo`: the whole path on real traffic. Installs what is missing, builds, runs, cleans up.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const { kernel, why } = setup();
console.error('building');
const built = spawnSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url))], {
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(built.status ?? 1);
const { runDemo } = await import('./demo/run.mjs');
process.exit(await runDemo({ kernel, why }));
