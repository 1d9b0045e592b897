// How far a long run came lies in a file: whoever asks for the same again goes on there.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Progress {
  #file;
  #known;

  /** What is known of the run of so many inputs from a seed, in a folder. */
  constructor(folder, { inputs, seed }) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `progress-${seed}.json`);
    this.#known = { inputs, seed, done: {} };
    try {
      const known = JSON.parse(readFileSync(this.#file, 'utf8'));
      if (known.inputs === inputs && known.seed === seed) this.#known = known;
    } catch {
      // None, or of a run that died while it wrote: from the beginning.
    }
  }

  /** What is done of a part. */
  of(name) {
    return this.#known.done[name] ?? 0;
  }

  /** Counts more of some parts as done. */
  add(more) {
    for (const [name, count] of Object.entries(more))
      this.#known.done[name] = this.of(name) + count;
    this.#write();
  }

  /** A run that is whole begins anew when it is asked for again. */
  forget() {
    this.#known.done = {};
    this.#write();
  }

  #write() {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#known));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
