/**
 * Starts the agent's part in exchanges as soon as a generation is active that judges requests: an
 * agent whose generations judge connections alone needs no doors.
 */
import { messageOf } from '../../compiler/diagnostic/index.js';
import type { Kernel } from '../kernel/index.js';
import { readActive } from './active.js';
import { type Forwarding, type ForwardingOptions, startForwarding } from './forwarding.js';
import { openNode } from './node.js';
import type { Paths } from './paths.js';
import { hasSource } from './sources.js';

const LOOK_MS = 500;

export interface FollowedRequests extends AsyncDisposable {
  /** Null while no generation needed it. */
  readonly forwarding: Forwarding | null;
  /** Why it did not start although the active generation needs it; null where nothing is wrong. */
  readonly problem: string | null;
}

/**
 * Follows the active generation until it is disposed of. Rejects as startForwarding does where the
 * first one judges requests; what fails later is told to `onFault` and tried again with the next.
 */
export async function followRequests(
  kernel: Kernel,
  paths: Paths,
  options: ForwardingOptions,
): Promise<FollowedRequests> {
  const node = openNode(kernel, paths);
  let seen: number | null = null;
  let forwarding: Forwarding | null = null;
  let problem: string | null = null;
  let starting: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const active = readActive(node.map('weft_active'));
    if (forwarding !== null || active === null || active === seen) return;
    seen = active;
    problem = null;
    if (!hasSource(paths, active)) return;
    try {
      forwarding = await startForwarding(kernel, paths, options);
    } catch (error) {
      problem = messageOf(error);
      throw error;
    }
  };
  try {
    await look();
  } catch (error) {
    node[Symbol.dispose]();
    throw error;
  }
  const timer = setInterval(() => {
    // Once it has started it stays.
    if (forwarding !== null) clearInterval(timer);
    else starting = starting.then(look).catch(options.onFault);
  }, LOOK_MS);
  return {
    get forwarding(): Forwarding | null {
      return forwarding;
    },
    get problem(): string | null {
      return problem;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await starting;
      await forwarding?.[Symbol.asyncDispose]();
      node[Symbol.dispose]();
    },
  };
}
