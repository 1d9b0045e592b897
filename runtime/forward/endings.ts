/**
 * Ends connections after refusals that say so: the kernel writes such a refusal without the agent,
 * but has no way to end a connection behind it. A client that was told to close mostly does; one that
 * reads to the end would wait for ever.
 */
import type { Ender } from './end-client.js';
import type { ClientId, Probe } from './layout.js';
import type { NodeWords } from './node-words.js';

/** How long the other end has to close first, and its last bytes to get there. */
const ENDINGS_MS = 100;
/** Rounds after which what cannot be ended behind its last byte is ended by an error. */
const PATIENCE = 50;

type EndingWords = Pick<NodeWords, 'endings' | 'forgetEnding' | 'probe'>;

export class Endings {
  readonly #words: EndingWords;
  readonly #ender: Ender;
  readonly #timer: NodeJS.Timeout;
  /** What waits for its end, and since how many rounds. */
  #rounds: ReadonlyMap<bigint, number> = new Map();

  constructor(words: EndingWords, ender: Ender, onFault: (error: unknown) => void) {
    this.#words = words;
    this.#ender = ender;
    this.#timer = setInterval(() => {
      try {
        this.#round();
      } catch (error) {
        onFault(error);
      }
    }, ENDINGS_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #round(): void {
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
