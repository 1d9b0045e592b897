/** Whether what a verb works on is a folder here: a bundle may be a file, or lie where no path leads. */
import { statSync } from 'node:fs';
import { type Env, pathIn } from './env.js';

export function isFolder(env: Env, shown: string): boolean {
  return statSync(pathIn(env, shown), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
