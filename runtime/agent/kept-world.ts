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

/** What the file begins with, of this form of it; then a digest of the rest. */
const MAGIC = Buffer.from('weft world 2\n');
const DIGEST_BYTES = 32;

function fileOf(paths: Paths): string {
  return join(paths.lib, 'world');
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Writes it where its digest is not this one; answers with the digest. Throws A031; then the one before stays. */
export function keepWorld(paths: Paths, world: World, digest: string | null): string {
  const bytes = serialize(world);
  const own = digestOf(bytes);
  if (own.toString('hex') !== digest)
    writeAtomic(fileOf(paths), Buffer.concat([MAGIC, own, bytes]));
  return own.toString('hex');
}

/** Its bytes; null where none was kept, or it is of another version of weft, or damaged. */
function find(paths: Paths): Buffer | null {
  try {
    const file = readFileSync(fileOf(paths));
    const [digest, bytes] = [
      file.subarray(MAGIC.length, MAGIC.length + DIGEST_BYTES),
      file.subarray(MAGIC.length + DIGEST_BYTES),
    ];
    if (!file.subarray(0, MAGIC.length).equals(MAGIC)) return null;
    return digestOf(bytes).equals(digest) ? bytes : null;
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
  const bytes = find(paths);
  if (bytes !== null) return deserialize(bytes);
  const message = `\`${fileOf(paths)}\` holds no world`;
  throw new AgentError('A050', message, CODES['A050']?.help ?? null);
}

/** Forgets it. */
export function removeKeptWorld(paths: Paths): void {
  rmSync(fileOf(paths), { force: true });
}
