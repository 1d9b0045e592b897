// `npm run demo:cluster`: a cluster on one machine, and a bundle rolled out under traffic while parts
// of it die. Installs what is missing, builds, runs, cleans up.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const { kernel, why } = setup();
if (!kernel) {
  console.error(`the demo needs the kernel part: ${why}`);
  process.exit(4);
}
console.error('building');
const built = spawnSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url))], {
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(built.status ?? 1);
const { runClusterDemo } = await import('./demo-cluster/run.mjs');
process.exit(await runClusterDemo());
