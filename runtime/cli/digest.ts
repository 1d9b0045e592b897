/** Digests of files, apart from what reads them: an unchanged build needs nothing else. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** sha256 in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The digest of a file of a project; null where it cannot be read. */
export function inputDigest(folder: string, path: string): string | null {
  try {
    return sha256(readFileSync(join(folder, path)));
  } catch {
    return null;
  }
}
