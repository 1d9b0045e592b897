/** A clock that stands until it is told to go on. */

interface Waiting {
  readonly at: number;
  readonly wake: () => void;
}

export class TestClock {
  #now: number;
  readonly #waiting = new Set<Waiting>();
  constructor(start: number) {
    this.#now = start;
  }
  readonly now = (): number => this.#now;
  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const one: Waiting = {
        at: this.#now + ms,
        wake: () => {
          this.#waiting.delete(one);
          signal.removeEventListener('abort', one.wake);
          resolve();
        },
      };
      this.#waiting.add(one);
      signal.addEventListener('abort', one.wake, { once: true });
      if (signal.aborted) one.wake();
    });
  /** Goes on, and wakes those whose time has come. */
  advance(ms: number): void {
    this.#now += ms;
    for (const one of [...this.#waiting]) if (one.at <= this.#now) one.wake();
  }
}
