/** Where in the store things lie. Values are JSON, but for the bytes of bundles. */

export const ROLLOUTS = 'rollouts/';
export const NODES = 'nodes/';
/** Held with a lease by the control plane that drives rollouts. */
export const LEADER = 'leader';
/** Written by every beginning of a rollout, so that two at a time cannot name the same nodes. */
export const BEGUN = 'rollouts-begun';

export const keyOf = {
  rollout: (name: string): string => `${ROLLOUTS}${name}`,
  histories: (name: string): string => `rollout-history/${name}/`,
  history: (name: string, number: number): string => `rollout-history/${name}/${number}`,
  bundle: (digest: string): string => `bundles/${digest}`,
  node: (node: string): string => `${NODES}${node}`,
} as const;
