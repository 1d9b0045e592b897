/**
 * Which nodes a rollout means, and which of them are on the new bundle. Both depend on nothing but the document and
 * the node, so that every control plane answers alike.
 */
import type { Labels, NodeReport, RolloutDocument, Stage } from './types.js';

/** Above every hash: all nodes are below. */
export const ALL_NODES: number = 2 ** 32;

/** Does a node have all of these labels? */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/**
 * Place of a node in a rollout, 0 to 2^32: FNV-1a, then the last steps of MurmurHash3, since FNV alone barely moves
 * the high bits for names that differ at their end.
 */
export function placeOf({ name, number }: RolloutDocument, node: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${name}/${number}/${node}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

type Named = Pick<NodeReport, 'node' | 'labels'>;

/** Is it a node of the target? */
export function isTargeted({ spec }: RolloutDocument, { labels }: Named): boolean {
  return hasLabels(labels, spec.target);
}

/** Is it a node that should run the new bundle? */
export function isOnNew(document: RolloutDocument, node: Named): boolean {
  if (document.state === 'undone' || !isTargeted(document, node)) return false;
  const { below, labels } = document.canary;
  return (
    placeOf(document, node.node) < below || labels.some((wanted) => hasLabels(node.labels, wanted))
  );
}

/** Is the stage about this node: to run the new bundle, or to decide by it beside the old one? */
export function isOfStage(document: RolloutDocument, node: Named): boolean {
  return document.spec.stages[document.stage]?.kind === 'shadow'
    ? isTargeted(document, node)
    : isOnNew(document, node);
}

/**
 * Who is on the new bundle in a stage, besides those that are already. Of a percentage: so many of the nodes that can
 * be heard now, and at least one; nodes that come later fall on either side by their hash.
 */
export function widen(
  document: RolloutDocument,
  { kind, percent, labels }: Stage,
  heard: readonly Named[],
): RolloutDocument['canary'] {
  const { canary } = document;
  if (kind === 'shadow') return canary;
  if (kind === 'all') return { ...canary, below: ALL_NODES };
  if (labels !== null) return { ...canary, labels: [...canary.labels, labels] };
  const places = heard
    .filter((node) => isTargeted(document, node))
    .map(({ node }) => placeOf(document, node))
    .sort((a, b) => a - b);
  const last = places[Math.max(1, Math.ceil((places.length * (percent ?? 0)) / 100)) - 1];
  // Without any node to choose from the share of all hashes.
  const below = last === undefined ? Math.ceil((ALL_NODES * (percent ?? 0)) / 100) : last + 1;
  return { ...canary, below: Math.max(canary.below, below) };
}
