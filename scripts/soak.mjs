// A soak of requests over keep-alive connections, a third routed away from their connection, with
// resets, dawdling and leaving clients, endpoints that go and come. Needs root.
// usage: npm run soak -- [--requests N] [--connections N] [--no-build]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000000' },
    connections: { type: 'string', default: '500' },
    'no-build': { type: 'boolean', default: false },
  },
});
if (!values['no-build']) {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    stdio: 'inherit',
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const { runSoak } = await import(join(root, 'dist/test/soak/run-soak.js'));
const started = Date.now();
const { counts, left } = await runSoak({
  requests: Number(values.requests),
  connections: Number(values.connections),
  onProgress: (line) => console.error(line),
});
const seconds = ((Date.now() - started) / 1000).toFixed(0);
console.log(JSON.stringify({ seconds: Number(seconds), ...counts, after: left }, null, 2));
const unclean = left.clients + left.leases + left.doors + left.busy + left.sessions;
const isFine =
  counts.wrong === 0 && counts.hung === 0 && unclean === 0 && left.agentFaults.length === 0;
console.log(isFine ? 'soak: every reply was right, nothing is left' : 'soak: failed');
process.exit(isFine ? 0 : 1);
