// A seeded fault replaces a text of a source. Where that text is gone, or stands twice, the fault is
// stale: it would be seeded nowhere, or somewhere else.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Faults whose text is not exactly once in its file below `root`, with how often it is. */
export function findStale(root, mutants) {
  const sources = new Map();
  for (const { file } of mutants) {
    const path = join(root, file);
    sources.set(file, existsSync(path) ? readFileSync(path, 'utf8') : '');
  }
  return mutants
    .map((mutant) => ({ mutant, count: sources.get(mutant.file).split(mutant.find).length - 1 }))
    .filter(({ count }) => count !== 1);
}
