/**
 * Pinning a set of objects at once: under a temporary directory first, then one rename. A reader of
 * the final path sees all or nothing, and a failure leaves nothing.
 */
import { renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listPins, pinDirectory, removePinTree } from '../kernel/index.js';

// bpffs refuses names with a dot, hence a suffix of letters.
const UNFINISHED = '_new';

export interface Pinnable {
  pin(path: string): void;
}

/** Pins `items` (by path below `path`) so that `path` appears whole. Throws KernelError. */
export function pinAll(path: string, items: ReadonlyMap<string, Pinnable>): void {
  const temporary = `${path}${UNFINISHED}`;
  removePinTree(temporary); // of a process that died
  try {
    for (const [name, item] of items) {
      const target = join(temporary, name);
      pinDirectory(dirname(target));
      item.pin(target);
    }
    renameSync(temporary, path);
  } catch (error) {
    removePinTree(temporary);
    throw error;
  }
}

/**
 * Hides a finished directory of pins by one rename, for a removal in several steps: if that is cut
 * short, the rest counts as unfinished. Returns where it is now.
 */
export function unfinish(path: string): string {
  const temporary = `${path}${UNFINISHED}`;
  removePinTree(temporary);
  renameSync(path, temporary);
  return temporary;
}

/** Removes what processes that died left half done in a directory of pins. */
export function sweepUnfinished(path: string): void {
  for (const name of listPins(path)) {
    if (name.endsWith(UNFINISHED)) removePinTree(join(path, name));
  }
}

/** Names below a directory of pins, finished ones only; empty where it does not exist. */
export function pinNames(path: string): readonly string[] {
  return listPins(path).filter((name) => !name.endsWith(UNFINISHED));
}
