/** Entry: the agent as a process of its own, with the benchmark's pins. Arguments: pins, run, cgroups, then the agent's. */
import { runAgent } from '../../../runtime/agent/run-agent.js';
import { agentEnv } from '../../support/agent-env.js';
import { nodeFolders } from '../../support/node-folders.js';

const [, , pins = '', run = '', cgroups = '', ...args] = process.argv;
const stop = new AbortController();
const paths = { pins, ...nodeFolders(run), cgroups };
const stderr = (text: string): void => {
  process.stderr.write(text);
};
process.exitCode = await runAgent(args, agentEnv(paths, stop.signal, { stderr }));
