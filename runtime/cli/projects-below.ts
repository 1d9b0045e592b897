/** The projects of a folder that is none itself, as `policies/examples` here. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Env, pathIn } from './env.js';
import { isFolder } from './is-folder.js';
import { isTestOrFolder } from './test-names.js';

/**
 * Project folders below a folder without weft.json, as the user would name them, in order; empty for anything else.
 * What lies below a project is its own, and hidden folders are others'.
 */
export function projectsBelow(env: Env, shown: string): string[] {
  const isProject = (folder: string): boolean => existsSync(pathIn(env, join(folder, 'weft.json')));
  if (!isFolder(env, shown) || isProject(shown)) return [];
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(pathIn(env, folder), { withFileTypes: true })) {
      if (!entry.isDirectory() || !isTestOrFolder(entry)) continue;
      const path = join(folder, entry.name);
      if (isProject(path)) found.push(path);
      else walk(path);
    }
  };
  walk(shown);
  return found.sort();
}
