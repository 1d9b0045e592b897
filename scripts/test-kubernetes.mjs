// `npm run test:kubernetes`: the chart and the agent's way of following a cluster against a real Helm and a
// real API server. Not in CI: Go builds both once, which takes a quarter of an hour.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

setup();
const built = spawnSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url))], {
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(built.status ?? 1);
const { tryKubernetes } = await import('./kubernetes/run.mjs');
const tried = await tryKubernetes();
console.log(`${tried} passed, 0 failed`);
