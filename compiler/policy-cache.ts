/**
 * Keeps compiled policies between compilations of one project, for as long as every file that a policy read
 * says what it said. Owned by whoever compiles again and again; nothing else outlives a compilation.
 */
import type { PolicyInput, PolicyOutcome } from './compile-policy.js';

interface Kept {
  readonly place: string;
  /** What was read, null where there was no file. */
  readonly reads: ReadonlyMap<string, string | null>;
  readonly outcome: PolicyOutcome;
}

export class PolicyCache {
  readonly #kept = new Map<string, Kept>();

  /** The kept outcome of a policy, else that of `compile`, which is kept. */
  async outcome(
    input: PolicyInput,
    compile: (input: PolicyInput) => Promise<PolicyOutcome>,
  ): Promise<PolicyOutcome> {
    const { index, name, file, firstSite, fuel } = input;
    const place = JSON.stringify([index, name, firstSite, fuel]);
    const kept = this.#kept.get(file);
    if (kept?.place === place && isUnchanged(kept, input)) return kept.outcome;
    const reads = new Map<string, string | null>();
    const read = (path: string): string | null => {
      const text = input.read(path);
      reads.set(path, text);
      return text;
    };
    const outcome = await compile({ ...input, read });
    // A refusal may be one of the moment, as a deadline.
    if (outcome.policy !== null) this.#kept.set(file, { place, reads, outcome });
    return outcome;
  }
}

function isUnchanged({ reads }: Kept, { read }: PolicyInput): boolean {
  // All are read, so that the caller hears of each file that its output depends on.
  return [...reads].map(([path, text]) => read(path) === text).every(Boolean);
}
