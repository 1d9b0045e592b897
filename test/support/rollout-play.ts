/** Rollouts played without a network: what nodes that obey report, and what a step or an operator makes of it. */
import {
  type Change,
  change,
  desired,
  type NodeReport,
  type Observed,
  type RolloutDocument,
  step,
} from '../../runtime/rollout/index.js';
import { NEW, running, START } from './rollout-nodes.js';

export const MINUTE = 60_000;
export const SHADOW = { stage: 'shadow', for: '5m' };
export const CANARY = { stage: 'canary', percent: 10, for: '2m' };
export const ALL = { stage: 'all', for: '1m' };

/** What is observed of `nodes` by one who has always watched. */
export function seen(nodes: readonly NodeReport[], now: number = START): Observed {
  return { nodes, now, watchedSince: 0 };
}
/** Everything that is desired of the nodes is done by them, and they are heard. */
export function obey(
  document: RolloutDocument,
  nodes: readonly NodeReport[],
  now: number,
): NodeReport[] {
  return nodes.map((node) => {
    const asked = desired([document], node);
    const shadow = asked?.shadow ?? null;
    const counts = { same: 0, different: 0, lost: 0, rules: [] };
    const active = asked?.digest ?? node.active?.digest;
    const next = active === undefined ? { ...node, heard: now } : running(node, active, now);
    return { ...next, shadow: shadow === null ? null : { digest: shadow, ...counts } };
  });
}
/** Does it until nothing moves any more at this moment. */
export function settle(
  document: RolloutDocument,
  nodes: readonly NodeReport[],
  now: number,
): RolloutDocument {
  const next = step(document, seen(nodes, now));
  return next === document ? document : settle(next, nodes, now);
}
/** What `ann` makes of it. */
export function changed(
  document: RolloutDocument,
  what: Change,
  nodes: readonly NodeReport[],
  now: number,
): RolloutDocument {
  const made = change(document, what, { ...seen(nodes, now), by: 'ann' });
  if (!made.ok) throw new Error(made.diagnostics[0]?.message);
  return made.document;
}
/** Why `ann` may not, or `done`. */
export function refused(
  document: RolloutDocument,
  what: Change,
  nodes: readonly NodeReport[],
  now: number = START,
): string {
  const made = change(document, what, { ...seen(nodes, now), by: 'ann' });
  return made.ok ? 'done' : `${made.diagnostics[0]?.code} ${made.diagnostics[0]?.message}`;
}
/** The nodes that are to run the new bundle. */
export const onNew = (document: RolloutDocument, nodes: readonly NodeReport[]): string[] =>
  nodes.filter((n) => desired([document], n)?.digest === NEW).map((n) => n.node);

/** A plan of one stage. */
export const JUST_ALL: { readonly stages: readonly (typeof ALL)[] } = { stages: [ALL] };
/** What a node says that refuses the new bundle. */
export const refusal: NonNullable<NodeReport['refused']> = {
  digest: NEW,
  code: 'K007',
  message: 'too many instructions',
  place: 'a.ts:7',
  time: START,
};
