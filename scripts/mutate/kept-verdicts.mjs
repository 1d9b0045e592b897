// Verdicts outlive a run, so that one that was interrupted goes on where it was. Each is kept under the fault, the
// file that it goes into, and the tests that judge it; beside it stands a hash of all that these tests reach.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suiteFiles, TextHashes } from './suite-files.mjs';

export class KeptVerdicts {
  #path;
  #keys = new Map();
  #reached = new Map();
  #found = new Map();

  /** Reads what is kept below `root`, and all texts that these faults depend on: sources may change under our hands. */
  constructor(root, mutants) {
    this.#path = join(root, '.cache/mutate.ndjson');
    const hashes = new TextHashes(root);
    for (const mutant of mutants) {
      const { file, find, replace, suite } = mutant;
      const paths = [join(root, file), ...suiteFiles(root, suite)];
      this.#keys.set(mutant, hashes.hash([file, find, replace, suite], paths));
      this.#reached.set(suite, hashes.reached(suite));
    }
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      try {
        const kept = JSON.parse(line);
        this.#found.set(kept.key, kept);
      } catch {} // the last line of a run that was killed
    }
  }

  #greenKey(suite) {
    return `green ${suite} ${this.#reached.get(suite)}`;
  }

  /**
   * What is known of a fault, or null. A kill holds while its file and its tests are the same (`isOlder` where something
   * that these reach has changed since); any other verdict only while all is the same, an invalid one never.
   */
  of(mutant) {
    const kept = this.#found.get(this.#keys.get(mutant));
    if (kept === undefined || kept.verdict === 'invalid') return null;
    const isOlder = kept.reached !== this.#reached.get(mutant.suite);
    return isOlder && kept.verdict !== 'killed' ? null : { ...kept, isOlder };
  }

  /** How long a suite took without a fault, in seconds; null where that was not seen green on these texts. */
  greenSeconds(suite) {
    return this.#found.get(this.#greenKey(suite))?.seconds ?? null;
  }

  keep(mutant, label, { verdict, detail }) {
    const reached = this.#reached.get(mutant.suite);
    this.#add({ key: this.#keys.get(mutant), label, verdict, detail, reached });
  }

  keepGreen(suite, seconds) {
    this.#add({ key: this.#greenKey(suite), seconds });
  }

  #add(entry) {
    this.#found.set(entry.key, entry);
    mkdirSync(dirname(this.#path), { recursive: true });
    appendFileSync(this.#path, `${JSON.stringify(entry)}\n`);
  }
}
