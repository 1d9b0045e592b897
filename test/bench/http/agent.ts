/** Entry: the agent as a process of its own, with the benchmark's pins. Arguments: pins, run, cgroups, then the agent's. */
import { runAgent } from '../../../runtime/agent/run-agent.js';
import { openKernel } from '../../../runtime/kernel/index.js';
import { nodeFolders } from '../../support/node-folders.js';

const [, , pins = '', run = '', cgroups = '', ...args] = process.argv;
const stop = new AbortController();
process.exitCode = await runAgent(args, {
  stdout: () => undefined,
  stderr: (text) => {
    process.stderr.write(text);
  },
  signal: stop.signal,
  now: () => new Date(),
  clockOffset: () => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(),
  openKernel,
  nodePaths: () => ({ pins, ...nodeFolders(run), cgroups }),
});
