/**
 * The world as it was followed last, on disk: what loads read it, and a node boots by it before the API
 * server of its cluster answers. Written by this node alone, whole or not at all.
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { World } from '../discovery/types.js';
import { AgentError } from './agent-error.js';
import { CODES } from './codes.js';
import type { Paths } from './paths.js';
import { writeAtomic } from './write-atomic.js';

/** Of the form of the file. */
const VERSION = 1;

function fileOf(paths: Paths): string {
  return join(paths.lib, 'world');
}

/** Writes it where its digest is not this one; answers with the digest. Throws A031; then the one before stays. */
export function keepWorld(paths: Paths, world: World, digest: string | null): string {
  const bytes = serialize([VERSION, world]);
  const own = createHash('sha256').update(bytes).digest('hex');
  if (own !== digest) writeAtomic(fileOf(paths), bytes);
  return own;
}

/** Null where none was kept, or it is of another version of weft, or damaged. */
function find(paths: Paths): World | null {
  try {
    const [version, world]: [number, World] = deserialize(readFileSync(fileOf(paths)));
    return version === VERSION ? world : null;
  } catch {
    return null;
  }
}

/** Is there one to read? */
export function hasKeptWorld(paths: Paths): boolean {
  return find(paths) !== null;
}

/** The world that was kept. Throws A050 where there is none. */
export function readKeptWorld(paths: Paths): World {
  const world = find(paths);
  if (world !== null) return world;
  const message = `\`${fileOf(paths)}\` holds no world`;
  throw new AgentError('A050', message, CODES['A050']?.help ?? null);
}

/** Forgets it. */
export function removeKeptWorld(paths: Paths): void {
  rmSync(fileOf(paths), { force: true });
}
