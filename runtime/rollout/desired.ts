/** What a node is to run, from all rollouts: the one thing that control planes tell to nodes. */
import { isOnNew, isTargeted } from './select-nodes.js';
import type { NodeReport, RolloutDocument } from './types.js';

export interface Desired {
  /** Name of the bundle. */
  readonly name: string;
  /** Null where nothing has been rolled out before: the node stays as it is. */
  readonly digest: string | null;
  /** Decide by this one beside it; null where there is none. */
  readonly shadow: string | null;
}

/** What the nodes of a rollout run once it has ended, or would if it were undone now. */
export function settledDigest({ state, digest, before }: RolloutDocument): string | null {
  return state === 'done' ? digest : before;
}

/** The rollout that a node belongs to: where several name it (labels change), the one that was there first. */
export function rolloutOf(
  documents: readonly RolloutDocument[],
  node: Pick<NodeReport, 'node' | 'labels'>,
): RolloutDocument | null {
  const [first] = documents
    .filter((document) => isTargeted(document, node))
    .sort((a, b) => a.created - b.created || (a.name < b.name ? -1 : 1));
  return first ?? null;
}

/** What a node is to run; null where no rollout names it, which leaves it as it is. */
export function desired(
  documents: readonly RolloutDocument[],
  node: Pick<NodeReport, 'node' | 'labels'>,
): Desired | null {
  const document = rolloutOf(documents, node);
  if (document === null) return null;
  const { name, digest, before, state, spec, stage } = document;
  if (isOnNew(document, node)) return { name, digest, shadow: null };
  const isShadowed = spec.stages[stage]?.kind === 'shadow' && state !== 'undone';
  return { name, digest: before, shadow: isShadowed ? digest : null };
}
