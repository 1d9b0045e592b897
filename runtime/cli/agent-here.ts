/** The agent of this node, where one runs: it is the reader of events then, and may be asked by those who are not root. */
import { join } from 'node:path';
import { type AgentApi, openAgentApi } from '../agent/api/client.js';
import type { Env } from './env.js';

/** Its local API; null where no agent answers, or this is no node. */
export async function agentHere(env: Env): Promise<AgentApi | null> {
  const paths = await env.nodePaths().catch(() => null);
  return paths === null ? null : openAgentApi(join(paths.run, 'agent.sock'));
}
