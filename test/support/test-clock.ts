/** A clock that stands until it is told to go on. */
import type { Clock } from '../../runtime/control/wire/index.js';

interface Waiting {
  readonly at: number;
  readonly act: () => void;
}

export class TestClock implements Clock {
  #now: number;
  readonly #waiting = new Set<Waiting>();
  constructor(start: number) {
    this.#now = start;
  }
  readonly now = (): number => this.#now;
  readonly random = (): number => 0;
  readonly after = (ms: number, act: () => void): (() => void) => {
    const one: Waiting = { at: this.#now + ms, act };
    this.#waiting.add(one);
    return () => this.#waiting.delete(one);
  };
  /** Goes on, and acts for those whose time has come. */
  advance(ms: number): void {
    this.#now += ms;
    for (const one of [...this.#waiting]) {
      if (one.at <= this.#now && this.#waiting.delete(one)) one.act();
    }
  }
}
