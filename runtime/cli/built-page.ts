/** Where a page lies that was built for a browser: beside the programs, and beside their modules under test. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BugError } from '../../compiler/diagnostic/index.js';

/** The folder of `playground` or `status-page`. */
export function builtPage(name: 'playground' | 'status-page'): string {
  const found = [`./${name}`, `../../${name}`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'page.js')));
  if (found === undefined) throw new BugError(`dist/${name} was not built`);
  return found;
}
