/**
 * Which versions of resources this node has taken, on disk: after a restart it says so, and is not sent
 * again what it has. What it says is held against what runs, so a file that is lost or old costs one
 * transfer and nothing else.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { resourceName } from '../control/wire/index.js';
import type { Running } from './hooks.js';

export interface Held {
  /** Versions by resource, of what runs. */
  versions(running: readonly Running[]): Record<string, string>;
  put(resource: string, version: string, digest: string): void;
  drop(resource: string): void;
}

interface Kept {
  readonly version: string;
  readonly digest: string;
}

function read(path: string): Map<string, Kept> {
  const found = new Map<string, Kept>();
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return found;
    for (const [resource, kept] of Object.entries(value)) {
      const { version, digest } = kept as Record<string, unknown>;
      if (typeof version === 'string' && typeof digest === 'string') {
        found.set(resource, { version, digest });
      }
    }
  } catch {
    // Nothing is known of what runs: it is asked for.
    found.clear();
  }
  return found;
}

/** Opens the file; `path` null keeps it in memory. Faults of the disk are told and cost a transfer. */
export function openHeld(path: string | null, onFault: (error: unknown) => void): Held {
  const kept = path === null ? new Map<string, Kept>() : read(path);
  const save = (): void => {
    if (path === null) return;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(kept)));
      renameSync(`${path}.new`, path);
    } catch (error) {
      onFault(error);
    }
  };
  return {
    versions(running) {
      const own = running.flatMap(({ name, mode, digest }) => {
        const resource = resourceName(name, mode);
        const one = kept.get(resource);
        return one?.digest === digest ? [[resource, one.version] as const] : [];
      });
      return Object.fromEntries(own);
    },
    put(resource, version, digest) {
      kept.set(resource, { version, digest });
      save();
    },
    drop(resource) {
      if (kept.delete(resource)) save();
    },
  };
}
