/** Where the time of a build went (`weft build --timings`): whose step took how long. Milliseconds. */

export interface Timings {
  /** AssemblyScript's compiler, its start included. */
  readonly asc: number;
  /** The configure phases: a process each (docs/architecture.md). */
  readonly configure: number;
  /** The verifier of the kernel at hand; 0 where none may be asked. */
  readonly verifier: number;
  /** Everything else: reading, lowering, passes, tables, writing. */
  readonly weft: number;
  readonly total: number;
}

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

  /** Until now. */
  read(): Timings {
    const total = performance.now() - this.#since;
    const [asc, configure, verifier] = ['asc', 'configure', 'verifier'].map((s) => this.#of(s)) as [
      number,
      number,
      number,
    ];
    const weft = total - asc - configure - verifier;
    const rounded = (ms: number): number => Math.round(ms * 10) / 10;
    return {
      ...{ asc: rounded(asc), configure: rounded(configure), verifier: rounded(verifier) },
      ...{ weft: rounded(weft), total: rounded(total) },
    };
  }
}

/** One line of text. */
export function timingsText({ asc, configure, verifier, weft, total }: Timings): string {
  return `  ${total} ms: asc ${asc}, configure phases ${configure}, the verifier ${verifier}, Weft ${weft}`;
}
