/** Entry of `weft`: makes the world from `process`, runs the command line, sets the exit code. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { processChannel } from '../agent/process-channel.js';
import { sha256 } from './digest.js';
import type { Env, Output } from './env.js';
import { EXIT } from './exit.js';
import { runCli } from './run-cli.js';
import { VERSION } from './version.js';

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (chunk) => {
      stream.write(chunk);
    },
    isTTY: stream.isTTY === true,
  };
}

/** Version alone does not tell two checkouts apart: this file does, which names all others by their digests. */
function programId(): string {
  return `${VERSION} ${sha256(readFileSync(fileURLToPath(import.meta.url)))}`;
}

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
});
// A reader that has seen enough (`weft events | head`) closes the pipe: that is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
});

const env: Env = {
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  stdin: () => process.stdin,
  cwd: process.cwd(),
  env: process.env,
  platform: process.platform,
  now: () => new Date(),
  signal: interrupt.signal,
  untilTold: () => {
    process.once('SIGTERM', () => interrupt.abort());
    return interrupt.signal;
  },
  pid: process.pid,
  command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  channel: () => processChannel(process),
  onHangUp: (handler) => {
    process.on('SIGHUP', handler);
  },
  kill: (pid, signal) => {
    process.kill(pid, signal);
  },
  usage: () => {
    const { user, system } = process.cpuUsage();
    return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
  },
  openKernel: async (options) => (await import('../kernel/index.js')).openKernel(options),
  openAdmin: async (place) => (await import('../control/client/index.js')).openAdmin(place),
  nodePaths: async () => (await import('../agent/paths.js')).machinePaths(),
  clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
  program: programId(),
};

process.exitCode = await runCli(process.argv.slice(2), env);
if (process.exitCode === EXIT.interrupted) process.exit();
