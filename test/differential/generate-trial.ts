/** A trial from a seed: policies, fuel, and what they are asked. */
import { generateConnection } from '../support/generate-connection.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { Prng } from '../support/prng.js';
import type { Trial } from './trial.js';

export const KINDS = ['authorize', 'authorize', 'route'] as const;

export interface TrialShape {
  readonly isRequest: boolean;
  /** Fuel that a bundle may get; little of it shows decisions that are cut short. */
  readonly fuel: readonly number[];
  readonly decisions: number;
}

function attach(random: Prng): readonly number[] | null {
  const chosen = KINDS.map((_, i) => i).filter(() => random.oneIn(2));
  return chosen.length > 0 ? chosen : null;
}

/** The same seed gives the same trial. */
export function generateTrial(seed: number, { isRequest, fuel, decisions }: TrialShape): Trial {
  const random = new Prng(seed);
  const texts = new Map(
    KINDS.map((asks, i) => [`g${i}.ts`, generatePolicy(random, asks, isRequest)]),
  );
  const given = random.pick(fuel);
  const many = <F>(one: (random: Prng) => F): (F & { policies: readonly number[] | null })[] =>
    Array.from({ length: decisions }, () => ({ ...one(random), policies: attach(random) }));
  const asked = isRequest
    ? ({ isRequest, facts: many(generateRequest) } as const)
    : ({ isRequest, facts: many(generateConnection) } as const);
  return { texts, fuel: given, asked };
}
