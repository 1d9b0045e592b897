/** Reads what was kept of a generation (sources.ts): its bundle and the world that it was loaded in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/types.js';
import type { Paths } from './paths.js';
import { sourceFolder } from './sources.js';

export interface Source {
  readonly bundle: Bundle;
  readonly world: World;
}

/** What was kept of a generation; null where nothing was, or what is there is damaged. */
export function readSource(paths: Paths, generation: number): Source | null {
  try {
    const at = sourceFolder(paths, generation);
    const decoded = decodeBundle(readFileSync(join(at, 'bundle.weft')));
    const world: World = deserialize(readFileSync(join(at, 'world')));
    return decoded.ok ? { bundle: decoded.bundle, world } : null;
  } catch {
    return null;
  }
}
