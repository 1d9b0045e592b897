/** A trial from a seed: policies, fuel, and what they are asked. */
import { generateConnection } from '../support/generate-connection.js';
import { DeclaredLookups } from '../support/generate-declared.js';
import { generatePolicy } from '../support/generate-policy.js';
import { generateRequest } from '../support/generate-request.js';
import { Prng } from '../support/prng.js';
import type { Trial } from './trial.js';

export const KINDS = ['authorize', 'authorize', 'route'] as const;

/** One bundle in so many looks into declarations of all kinds. */
const DECLARED_EACH = 8;

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
    KINDS.map((asks, i) => {
      const own = new Prng(Math.imul(seed, 31) + i);
      const declared =
        seed % DECLARED_EACH === 0 ? new DeclaredLookups(own, asks, isRequest) : null;
      return [`g${i}.ts`, generatePolicy(random, asks, isRequest, declared)];
    }),
  );
  const given = random.pick(fuel);
  const many = <F>(one: (random: Prng) => F): (F & { policies: readonly number[] | null })[] =>
    Array.from({ length: decisions }, () => ({ ...one(random), policies: attach(random) }));
  const asked = isRequest
    ? ({ isRequest, facts: many(generateRequest) } as const)
    : ({ isRequest, facts: many(generateConnection) } as const);
  return { texts, fuel: given, asked };
}
