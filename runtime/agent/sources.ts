/**
 * What a generation was loaded from, bundle and world, kept beside the state document for as long as
 * it is pinned, where it judges requests: the agent decides some requests itself, also by a bundle that another process loaded.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { decodeBundle } from '../../compiler/bundle/index.js';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import type { Paths } from './paths.js';
import { writeAtomic } from './write-atomic.js';

export interface Source {
  readonly bundle: Bundle;
  readonly world: World;
}

function folderOf(paths: Paths): string {
  return join(paths.run, 'generations');
}

function folder(paths: Paths, generation: number): string {
  return join(folderOf(paths), String(generation));
}

/** Keeps it, the bundle as its archive; a reader finds all of it or nothing. Throws A031. */
export function keepSource(
  paths: Paths,
  generation: number,
  { archive, world }: { readonly archive: Uint8Array; readonly world: World },
): void {
  const target = folder(paths, generation);
  const made = `${target}.new`;
  for (const path of [target, made]) rmSync(path, { recursive: true, force: true });
  try {
    writeAtomic(join(made, 'bundle.weft'), archive);
    writeAtomic(join(made, 'world'), serialize(world));
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
  renameSync(made, target);
}

/** What was kept of a generation; null where nothing was, or what is there is damaged. */
export function readSource(paths: Paths, generation: number): Source | null {
  try {
    const at = folder(paths, generation);
    const decoded = decodeBundle(readFileSync(join(at, 'bundle.weft')));
    const world: World = deserialize(readFileSync(join(at, 'world')));
    return decoded.ok ? { bundle: decoded.bundle, world } : null;
  } catch {
    return null;
  }
}

/** Was the generation kept: does it judge requests? */
export function hasSource(paths: Paths, generation: number): boolean {
  return existsSync(folder(paths, generation));
}

/** Forgets one; harmless where nothing was kept. */
export function dropSource(paths: Paths, generation: number): void {
  rmSync(folder(paths, generation), { recursive: true, force: true });
}

/** Forgets all. */
export function removeSources(paths: Paths): void {
  rmSync(folderOf(paths), { recursive: true, force: true });
}
