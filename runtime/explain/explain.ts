/**
 * Why a connection or a request is let in or refused: what every policy was asked, what it looked at, and for a
 * refusal what would have had to be different. The verdict itself is the engine's that was asked; that the run which
 * is told of comes to the same is checked each time.
 */

import { BugError } from '../../compiler/diagnostic/index.js';
import type { Bundle } from '../../compiler/index.js';
import type { World } from '../discovery/index.js';
import {
  createInlineDecider,
  type DecideInput,
  type Outcome,
  openSimulator,
} from '../simulate/index.js';
import { findNearest, type Nearest, type Retry } from './nearest.js';
import { type Question, Tracer } from './trace.js';

export interface Explanation {
  readonly outcome: Outcome;
  /** In the order in which they were asked. */
  readonly questions: readonly Question[];
  /** Null where it is let in, or where nothing within reach would let it in. */
  readonly nearest: Nearest | null;
}

/** Values to compute in search of what is nearest: about a second. A policy of many rules is searched as far as that goes. */
const MAX_WORK = 500_000;

const COMPARED = ['verdict', 'reason', 'rule', 'site', 'cluster', 'endpoint', 'policy'] as const;

/** Throws BugError where the telling run and a verdict differ. */
function mustAgree(told: Outcome, decided: Outcome): void {
  for (const key of COMPARED) {
    if (told[key] === decided[key]) continue;
    throw new BugError(`explain: ${key} is ${decided[key]}, the telling run says ${told[key]}`);
  }
}

export interface ExplainOptions {
  readonly world: World;
  readonly input: DecideInput;
  /** Who decides; V8 unless told. */
  readonly decide?: Decide;
}
export type Decide = (input: DecideInput) => Promise<Outcome>;

/** Explains one decision. Rejects as `decide` does, and with SimulateError SIMULATE_MODULE. */
export async function explain(
  bundle: Pick<Bundle, 'manifest' | 'wasm' | 'maps'>,
  { world, input, decide }: ExplainOptions,
): Promise<Explanation> {
  const decided = await (decide?.(input) ?? decideInV8(bundle, world, input));
  const tracer = new Tracer(bundle);
  await using telling = await openSimulator(bundle, {
    world,
    startEngine: tracer.startEngine,
  });
  const outcome = await telling.simulate(input);
  const { questions } = tracer;
  mustAgree(outcome, decided);
  if (decided.verdict === 'allow') return { outcome: decided, questions, nearest: null };
  const retry: Retry = async (forced) => {
    tracer.reset(forced);
    const turned = await telling.simulate(input);
    return { outcome: turned, questions: tracer.questions };
  };
  const nearest = await findNearest(questions, retry, () => tracer.work > MAX_WORK);
  return { outcome: decided, questions, nearest };
}

async function decideInV8(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  world: World,
  input: DecideInput,
): Promise<Outcome> {
  const decider = createInlineDecider(bundle, world);
  return decider.describe(decider.decide(input));
}
