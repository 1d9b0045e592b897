/** What a rollout has come to, counted for those who look at it: terminal and page tell the same. */
import { hasTaken, isHeard, type Observed, shutGate, sinceMark } from './gates.js';
import { isOfStage, isOnNew, isTargeted } from './select-nodes.js';
import type { NodeReport, RolloutDocument } from './types.js';

export interface Progress {
  /** Nodes of the target. */
  readonly targeted: number;
  /** Of the stage: those meant, and those that have taken the bundle. */
  readonly meant: number;
  readonly taken: number;
  /** Of the target, by what they run. */
  readonly onNew: number;
  readonly onOld: number;
  readonly onOther: number;
  /** Names of nodes that refuse the bundle, and of those that are not heard. */
  readonly refused: readonly string[];
  readonly silent: readonly string[];
  /** Of the stage's hold, what is left; null before it begins and outside of one. */
  readonly leftMs: number | null;
  readonly shadow: { readonly same: number; readonly different: number; readonly lost: number };
  /** Verdicts of nodes on the new bundle since their mark. */
  readonly verdicts: { readonly allowed: number; readonly denied: number };
  readonly shut: string | null;
}

type Ran = 'onNew' | 'onOld' | 'onOther';

function ranBy({ digest, before }: RolloutDocument, { active }: NodeReport): Ran {
  if (active?.digest === digest) return 'onNew';
  return (active?.digest ?? null) === before ? 'onOld' : 'onOther';
}

function leftOf({ state, spec, stage, settled }: RolloutDocument, now: number): number | null {
  if (state !== 'running' || settled === null) return null;
  return Math.max(0, settled + (spec.stages[stage]?.holdMs ?? 0) - now);
}

/** Counts it. */
export function progressOf(document: RolloutDocument, observed: Observed): Progress {
  const { nodes, now } = observed;
  const targeted = nodes.filter((n) => isTargeted(document, n));
  const meant = targeted.filter((n) => isOfStage(document, n));
  const ran = { onNew: 0, onOld: 0, onOther: 0 };
  const shadow = { same: 0, different: 0, lost: 0 };
  const verdicts = { allowed: 0, denied: 0 };
  for (const node of targeted) {
    ran[ranBy(document, node)] += 1;
    if (node.shadow?.digest === document.digest) {
      shadow.same += node.shadow.same;
      shadow.different += node.shadow.different;
      shadow.lost += node.shadow.lost;
    }
    const mark = document.marks[node.node];
    if (mark === undefined || !isOnNew(document, node)) continue;
    const { allowed, denied } = sinceMark(node, mark);
    verdicts.allowed += allowed;
    verdicts.denied += denied;
  }
  const names = (list: readonly NodeReport[]): readonly string[] => list.map((n) => n.node).sort();
  const isOver = document.state === 'done' || document.state === 'undone';
  return {
    targeted: targeted.length,
    meant: meant.length,
    taken: meant.filter((n) => hasTaken(document, n)).length,
    ...ran,
    refused: names(targeted.filter((n) => n.refused?.digest === document.digest)),
    silent: names(targeted.filter((n) => !isHeard(document, n, now))),
    leftMs: leftOf(document, now),
    ...{ shadow, verdicts },
    shut: isOver ? null : shutGate(document, observed),
  };
}
