// A soak of requests over keep-alive connections, a third routed away from their connection, with
// resets, pipelining, dawdling, unread and leaving clients, replies of 100 MB, servers that close,
// endpoints that go and come, by resets and by the world. Needs root. Ends with counts; 1 where anything was wrong, hung or left.
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
const { isBounded, isClean, runSoak } = await import(join(root, 'dist/test/soak/run-soak.js'));
const started = Date.now();
const connections = Number(values.connections);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
const { counts, left, peak, worlds } = await runSoak({
  requests: Number(values.requests),
  connections,
  worldMs: 10_000,
  onProgress: (line) => console.error(line),
  signal: stop.signal,
});
const seconds = Math.round((Date.now() - started) / 1000);
const { replies, refused, resets, wrong, hung } = counts;
const requests = replies + refused + resets + counts.left + wrong + hung;
const rate = Math.round(requests / seconds);
console.log(
  JSON.stringify({ seconds, requests, rate, worlds, ...counts, peak, after: left }, null, 2),
);
const isFine =
  counts.wrong === 0 && counts.hung === 0 && isClean(left) && isBounded(peak, connections);
console.log(isFine ? 'soak: every reply was right, nothing is left' : 'soak: failed');
process.exit(isFine ? 0 : 1);
