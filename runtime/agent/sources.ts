/**
 * What a generation was loaded from, bundle and world, kept beside the state document for as long as
 * it is pinned, where it judges requests: the agent decides some requests itself, also by a bundle that another process loaded.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { World } from '../discovery/types.js';
import type { Paths } from './paths.js';
import { writeAtomic } from './write-atomic.js';

function folderOf(paths: Paths): string {
  return join(paths.run, 'generations');
}

/** Where what was kept of a generation lies. */
export function sourceFolder(paths: Paths, generation: number): string {
  return join(folderOf(paths), String(generation));
}

/** Keeps it, the bundle as its archive; a reader finds all of it or nothing. Throws A031. */
export function keepSource(
  paths: Paths,
  generation: number,
  { archive, world }: { readonly archive: Uint8Array; readonly world: World },
): void {
  const target = sourceFolder(paths, generation);
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

/** Was the generation kept: does it judge requests? */
export function hasSource(paths: Paths, generation: number): boolean {
  return existsSync(sourceFolder(paths, generation));
}

/** Forgets one; harmless where nothing was kept. */
export function dropSource(paths: Paths, generation: number): void {
  rmSync(sourceFolder(paths, generation), { recursive: true, force: true });
}

/** Forgets all. */
export function removeSources(paths: Paths): void {
  rmSync(folderOf(paths), { recursive: true, force: true });
}
