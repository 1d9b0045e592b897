/** The world of an agent that runs in a test's own process. */
import type { AgentEnv } from '../../runtime/agent/agent-env.js';
import type { Paths } from '../../runtime/agent/paths.js';
import { VERSION } from '../../runtime/agent/version.js';
import { openKernel } from '../../runtime/kernel/index.js';
import type { Patience } from '../../runtime/link/index.js';

export interface Heard {
  readonly stdout?: (text: string) => void;
  readonly stderr?: (text: string) => void;
  readonly now?: () => Date;
  readonly patience?: Patience;
}

/** On this machine's kernel, with a node's paths, until the signal. */
export function agentEnv(paths: Paths, signal: AbortSignal, heard: Heard = {}): AgentEnv {
  return {
    stdout: heard.stdout ?? (() => {}),
    stderr: heard.stderr ?? (() => {}),
    signal,
    version: VERSION,
    channel: null,
    command: [],
    stager: null,
    onHandOver: () => {},
    started: { env: {}, pid: process.pid },
    ...(heard.patience === undefined ? {} : { patience: heard.patience }),
    now: heard.now ?? (() => new Date()),
    clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
    usage: () => {
      const { user, system } = process.cpuUsage();
      return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
    },
    collect: null,
    openKernel: () => openKernel(),
    nodePaths: () => paths,
  };
}
