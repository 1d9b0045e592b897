// A soak of requests over keep-alive connections, a third routed away from their connection, with
// resets, pipelining, dawdling, unread and leaving clients, replies of 100 MB, servers that close,
// endpoints that go and come, by resets and by the world. Needs root. Ends with counts; 1 where anything was wrong, hung or left.
// With the word `activations` another one: two bundles activated by turns under requests; none may fail or meet a mixture.
// usage: npm run soak -- [--requests N] [--connections N] [--no-build]
//        npm run soak -- activations [--activations N] [--connections N] [--rate N] [--no-build]
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWords } from './read-words.mjs';
import { setUpAndBuild } from './set-up-and-build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const WORDS =
  'npm run soak [-- [activations] [--requests N] [--connections N] [--activations N] [--rate N] [--no-build]]';
const { values, positionals } = readWords(WORDS, {
  requests: { type: 'string', default: '2000000' },
  connections: { type: 'string' },
  activations: { type: 'string', default: '1000' },
  rate: { type: 'string', default: '20000' },
  'no-build': { type: 'boolean', default: false },
});
if (!values['no-build']) setUpAndBuild();
const [what = 'exchanges'] = positionals;
if (positionals.length > 1 || !['exchanges', 'activations'].includes(what)) {
  console.error(`unknown soak \`${positionals.join(' ')}\`; known: exchanges, activations`);
  process.exit(64);
}
if (what === 'activations') {
  const { runActivations } = await import(join(root, 'dist/test/soak/run-activations.js'));
  const run = await runActivations({
    activations: Number(values.activations),
    connections: Number(values.connections ?? 16),
    rate: Number(values.rate),
    onProgress: (line) => console.error(line),
  });
  console.log(JSON.stringify(run, null, 2));
  const isWhole = run.failed === 0 && run.mixed === 0 && run.contrary === 0;
  console.log(isWhole ? "soak: every verdict was one bundle's" : 'soak: failed');
  process.exit(isWhole ? 0 : 1);
}
const { isBounded, isClean, runSoak } = await import(join(root, 'dist/test/soak/run-soak.js'));
const started = Date.now();
const connections = Number(values.connections ?? 500);
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
