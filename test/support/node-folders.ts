/** Where a node of a test keeps its files: all below one folder. */
import { join } from 'node:path';
import type { Paths } from '../../runtime/agent/paths.js';

export function nodeFolders(run: string): Pick<Paths, 'run' | 'lib' | 'etc'> {
  return { run, lib: join(run, 'lib'), etc: join(run, 'etc') };
}
