/** Entry of `weft-agent`: makes the world from `process` and runs the agent. */
import { openKernel } from '../kernel/index.js';
import { machinePaths } from './paths.js';
import { processChannel } from './process-channel.js';
import { runAgent } from './run-agent.js';
import { smallHeap } from './small-memory.js';
import { stagerFile } from './staged-bundles.js';
import { VERSION } from './version.js';

const collect = smallHeap();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
// Whoever read the verdicts is gone: that ends the stream, not what is enforced.
process.stdout.on('error', () => stop.abort());

process.exitCode = await runAgent(process.argv.slice(2), {
  stdout: (text) => {
    process.stdout.write(text);
  },
  stderr: (text) => {
    process.stderr.write(text);
  },
  signal: stop.signal,
  version: VERSION,
  channel: processChannel(process),
  command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  stager: [process.execPath, ...process.execArgv, stagerFile()],
  onHandOver: (handler) => {
    process.on('SIGHUP', handler);
  },
  started: { env: process.env, pid: process.pid },
  now: () => new Date(),
  clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
  },
  collect,
  openKernel: () => openKernel(),
  nodePaths: () => machinePaths(),
});
