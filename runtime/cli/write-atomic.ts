/** Replaces a file whole: a reader sees the old or the new one, and a failure leaves the old. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The file behind a link; null where the path is a device or pipe, which must not be replaced. */
function targetOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path;
  if (found.isFile() || found.isDirectory()) return realpathSync(path);
  return null;
}

/** Writes beside the target, then renames; a device or pipe is written to. Throws the file system's error. */
export function writeAtomic(shown: string, data: Uint8Array | string): void {
  const path = targetOf(shown);
  if (path === null) {
    writeFileSync(shown, data);
    return;
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeFileSync(fd, data);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
