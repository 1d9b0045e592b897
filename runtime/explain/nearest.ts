/**
 * What would have had to be different for a refused connection or request to be let in: the fewest predicates whose
 * answers, turned round, give allow; of equally few the one that was asked last, nearest to the verdict.
 */
import type { Outcome } from '../simulate/index.js';
import type { Step } from './steps.js';
import type { Forced, Question } from './trace.js';

export interface Nearest {
  /** These predicates would have to answer otherwise. */
  readonly turned: readonly Step[];
  /** What it would come to then. */
  readonly outcome: Outcome;
}

/** Decides with some answers turned round. */
export type Retry = (
  forced: Forced,
) => Promise<{ readonly outcome: Outcome; readonly questions: readonly Question[] }>;

/** Most predicates to turn round at once: more is no near miss. */
const MAX_TURNED = 3;
interface State {
  readonly turned: readonly Step[];
  readonly questions: readonly Question[];
}

/** Predicates from the last to the first, each once: both ends ask the same. */
function predicates(questions: readonly Question[]): Step[] {
  const steps = questions.flatMap((q) => q.steps).filter((step) => step.holds !== null);
  return [...new Map(steps.map((step) => [step.key, step])).values()].reverse();
}

/** Searches breadth first; null where nothing within reach lets it in, or `isDone` says that it was enough. */
export async function findNearest(
  questions: readonly Question[],
  retry: Retry,
  isDone: () => boolean,
): Promise<Nearest | null> {
  let states: readonly State[] = [{ turned: [], questions }];
  const tried = new Set<string>();
  for (let depth = 1; depth <= MAX_TURNED; depth++) {
    const next: State[] = [];
    for (const state of states) {
      for (const step of predicates(state.questions)) {
        const turned = [...state.turned, step];
        const id = turned
          .map(({ key }) => key)
          .sort()
          .join('\n');
        if (state.turned.some(({ key }) => key === step.key) || tried.has(id)) continue;
        tried.add(id);
        if (isDone()) return null;
        const forced = new Map(turned.map(({ key, holds }) => [key, holds !== true]));
        const { outcome, questions: asked } = await retry(forced);
        if (outcome.verdict === 'allow') return { turned, outcome };
        next.push({ turned, questions: asked });
      }
    }
    states = next;
  }
  return null;
}
