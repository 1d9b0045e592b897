/** One change of the node at a time. */
import { mkdirSync } from 'node:fs';
import { takeLock } from '../lock/index.js';
import { AgentError } from './agent-error.js';
import type { Paths } from './paths.js';

/** How long a change waits for another one to end, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Runs `change` alone on this node. Throws A001 where another process keeps the lock. */
export async function withLock<T>(
  paths: Paths,
  change: () => T | Promise<T>,
  { patience }: { readonly patience: number } = { patience: PATIENCE_MS },
): Promise<T> {
  mkdirSync(paths.run, { recursive: true, mode: 0o755 });
  const taken = await takeLock(paths.run, patience);
  if ('holder' in taken) {
    const message = `process \`${taken.holder}\` is changing this node`;
    throw new AgentError('A001', message, 'try again later');
  }
  try {
    return await change();
  } finally {
    taken.release();
  }
}
