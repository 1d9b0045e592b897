/**
 * Ends connections after refusals that say so: the kernel writes such a refusal without the agent,
 * but has no way to end a connection behind it. A client that was told to close mostly does; one that
 * reads to the end would wait for ever.
 */
import type { Ender } from './end-client.js';
import type { ClientId, Probe } from './layout.js';
import { keepLooking, type Looking } from './looking.js';
import type { NodeWords } from './node-words.js';

/** How long the other end has to close first, and its last bytes to get there. */
const ENDINGS_MS = 100;
/** And where nothing has ended for a while. */
const LONGEST_MS = 400;
/** Rounds after which what cannot be ended behind its last byte is ended by an error. */
const PATIENCE = 50;

type EndingWords = Pick<NodeWords, 'endings' | 'forgetEnding' | 'probe'>;

export class Endings {
  readonly #words: EndingWords;
  readonly #ender: Ender;
  readonly #looking: Looking;
  /** What waits for its end, and since how many rounds. */
  #rounds: ReadonlyMap<bigint, number> = new Map();

  constructor(words: EndingWords, ender: Ender, onFault: (error: unknown) => void) {
    this.#words = words;
    this.#ender = ender;
    this.#looking = keepLooking({
      look: () => this.#round(),
      ...{ shortestMs: ENDINGS_MS, longestMs: LONGEST_MS, onFault },
    });
  }

  close(): void {
    this.#looking.close();
  }

  /** True: something waits for its end still. */
  #round(): boolean {
    const waiting = new Map<bigint, number>();
    for (const { client, cgroup } of this.#words.endings()) {
      const probe = this.#words.probe(client);
      const round = this.#rounds.get(client.cookie) ?? 0;
      if (probe !== null && !this.#isEnded(client, cgroup, probe, round)) {
        waiting.set(client.cookie, round + 1);
        continue;
      }
      this.#words.forgetEnding(client.cookie);
    }
    this.#rounds = waiting;
    return waiting.size > 0;
  }

  #isEnded(client: ClientId, cgroup: bigint, probe: Probe, round: number): boolean {
    // What was redirected just now may be on its way still.
    if (round === 0 || probe.redirects > 0) return false;
    if (this.#ender.finish(client, cgroup)) return true;
    if (probe.memory > 0 && round < PATIENCE) return false;
    this.#ender.destroy(client, cgroup);
    return true;
  }
}
