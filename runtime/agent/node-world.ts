/** Where the world of this node is from, for as long as the agent runs: a file that was read once, or a cluster. */
import type { AgentOptions } from './agent-options.js';
import type { FollowedWorld } from './follow-world.js';
import type { NodeParts } from './serve-node.js';
import type { StagedBundles } from './staged-bundles.js';

export interface NodeWorld extends AsyncDisposable {
  /** Resolves when there is a world to load bundles in, or the signal aborts. */
  first(signal: AbortSignal): Promise<void>;
  /** A generation is active: from now on each other world is brought into force. */
  follow(): void;
  /** Why this node does not run in the world as it is; null while it does. */
  problem(): string | null;
}

const WRITTEN: NodeWorld = {
  first: async () => {},
  follow: () => {},
  problem: () => null,
  [Symbol.asyncDispose]: async () => {},
};

/** Opens it. Throws N104. */
export async function openNodeWorld(
  parts: NodeParts,
  { kubernetes, enrol }: Pick<AgentOptions, 'kubernetes' | 'enrol'>,
  bundles: StagedBundles,
): Promise<NodeWorld> {
  if (kubernetes === null) return WRITTEN;
  // What it takes to follow a cluster is not in memory without one.
  const { openCluster } = await import('./node-cluster.js');
  const { followWorld } = await import('./follow-world.js');
  const cluster = await openCluster(parts, kubernetes, bundles);
  let followed: FollowedWorld | null = null;
  return {
    first: (signal) => cluster.first(signal),
    follow: () => {
      followed = followWorld(parts, { bundles, cluster, enrol });
    },
    problem: () => followed?.problem() ?? cluster.problem(),
    async [Symbol.asyncDispose]() {
      await followed?.[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
