/** Where the time of a build went (`weft build --timings`): whose step took how long. Milliseconds. */
import type { Result } from './command-spec.js';

export interface Timings {
  /** AssemblyScript's compiler, its start included. */
  readonly asc: number;
  /** The configure phases; under `--watch` without a process each (docs/architecture.md). */
  readonly configure: number;
  /** The verifier of the kernel at hand; 0 where none may be asked. */
  readonly verifier: number;
  /** Everything else: reading, lowering, passes, tables, writing. */
  readonly weft: number;
  readonly total: number;
}

type Answer = Required<Pick<Result, 'document' | 'text'>>;

export class StepTimes {
  readonly #since = performance.now();
  readonly #took = new Map<string, number>();

  /** Runs a step and adds what it took to what steps of its name took before. */
  readonly timed = async <T>(step: string, run: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    try {
      return await run();
    } finally {
      this.#took.set(step, this.#of(step) + performance.now() - since);
    }
  };

  #of(step: string): number {
    return this.#took.get(step) ?? 0;
  }

  /** An answer with where the time went until now. */
  told({ document, text }: Answer): Answer {
    const rounded = (ms: number): number => Math.round(ms * 10) / 10;
    const took = performance.now() - this.#since;
    const [asc, configure, verifier] = [
      this.#of('asc'),
      this.#of('configure'),
      this.#of('verifier'),
    ];
    const timings: Timings = {
      asc: rounded(asc),
      configure: rounded(configure),
      verifier: rounded(verifier),
      weft: rounded(took - asc - configure - verifier),
      total: rounded(took),
    };
    const { weft, total } = timings;
    const parts = `asc ${timings.asc}, configure phases ${timings.configure}, the verifier ${timings.verifier}, Weft ${weft}`;
    return { document: { ...document, timings }, text: `${text}\n  ${total} ms: ${parts}` };
  }
}
