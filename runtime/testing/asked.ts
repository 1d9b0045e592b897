/** What tests asked of the policies, so that other engines can be asked the same, and coverage be counted. */
import type { World } from '../discovery/index.js';
import type { DecideInput, Outcome } from '../simulate/index.js';
import type { TestResult } from './result.js';

export interface AskedOnce {
  /** Number of the result that it belongs to. */
  readonly result: number;
  readonly world: World;
  readonly input: DecideInput;
  /** What V8 answered. */
  readonly outcome: Outcome;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  readonly asked: readonly AskedOnce[];
}

/** Answers at once, in the thread that asks. */
export type DecideNow = (world: World, input: DecideInput) => Outcome;
