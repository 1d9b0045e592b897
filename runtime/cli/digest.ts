/** Digests of files, apart from what reads them: an unchanged build needs nothing else. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTestOrFolder } from './test-names.js';

/** sha256 in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A folder as an input: which tests and folders it has, whatever they say. */
export function folderInput(path: string): string {
  return `${path}/`;
}

/** The digest of a file or folder of a project; null where it cannot be read. */
export function inputDigest(folder: string, path: string): string | null {
  try {
    if (!path.endsWith('/')) return sha256(readFileSync(join(folder, path)));
    const entries = readdirSync(join(folder, path), { withFileTypes: true });
    const names = entries.filter(isTestOrFolder).map(({ name }) => name);
    return sha256(names.sort().join('\n'));
  } catch {
    return null;
  }
}
