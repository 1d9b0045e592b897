// A seeded fault replaces a text of a source. Where that text is gone, or stands twice, the fault is
// stale: it would be seeded nowhere, or somewhere else. So is one whose tests are gone.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suiteFiles } from './suite-files.mjs';

/** What is stale of faults below `root`, each with why. */
export function findStale(root, mutants) {
  const sources = new Map();
  for (const { file } of mutants) {
    const path = join(root, file);
    sources.set(file, existsSync(path) ? readFileSync(path, 'utf8') : '');
  }
  return mutants.flatMap((mutant) => {
    const count = sources.get(mutant.file).split(mutant.find).length - 1;
    if (count !== 1) return [{ mutant, why: `its text occurs ${count} times, not once` }];
    if (mutant.find === mutant.replace) return [{ mutant, why: 'it changes nothing' }];
    if (suiteFiles(root, mutant.suite).length > 0) return [];
    return [{ mutant, why: `there is no suite \`${mutant.suite}\`` }];
  });
}
