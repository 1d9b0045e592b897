/**
 * A followed cluster becomes the world that is kept, in a process of its own: what is known is handed over as a
 * file of lines, and what putting ten thousand pods together leaves in memory ends with that process.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClusterPicture,
  clusterWorld,
  pictureLines,
  readPicture,
  unpackFacts,
} from '../kubernetes/index.js';
import type { KubernetesPlace } from './agent-options.js';
import { keepWorld } from './kept-world.js';
import type { Paths } from './paths.js';
import { cannotWrite } from './write-atomic.js';

/** Characters of a write: the whole is some MB. */
const PART = 64 * 1024;

function fileOf(paths: Paths): string {
  return join(paths.run, 'cluster');
}

/** Whose world it is, and the digest of the one that was kept before. */
export interface FollowedTask extends Pick<KubernetesPlace, 'node' | 'trustDomain'> {
  readonly before: string | null;
}

export interface KeptFollowed {
  /** Of the world that is kept now. */
  readonly digest: string;
  /** What it could not hold, in words. */
  readonly left: readonly string[];
}

/** Lays down what is known, for who puts it together. Throws A031. */
export function layPicture(paths: Paths, picture: ClusterPicture): void {
  const path = fileOf(paths);
  try {
    mkdirSync(paths.run, { recursive: true, mode: 0o755 });
    const file = openSync(path, 'w', 0o600);
    try {
      let part = '';
      for (const line of pictureLines(picture)) {
        part += `${line}\n`;
        if (part.length < PART) continue;
        writeSync(file, part);
        part = '';
      }
      writeSync(file, part);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    rmSync(path, { force: true });
    throw cannotWrite(path, cause);
  }
}

/** Makes the world of what was laid down, and keeps it where it is another one. Throws A031. */
export function keepFollowed(paths: Paths, { before, ...place }: FollowedTask): KeptFollowed {
  const path = fileOf(paths);
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  rmSync(path);
  const { facts, cgroups } = readPicture(lines);
  const { world, left } = clusterWorld(unpackFacts(facts), { ...place, cgroups });
  return { digest: keepWorld(paths, world, before), left };
}
