/**
 * Pins outlive the agent, but not their file system: once nobody has a bpffs mounted or open, the kernel
 * lets go of all that was pinned in it, and hooks attached by links go with their links. So the agent holds the
 * folder of its pins open (and gives a copy to whoever keeps descriptors for it): a plain umount(8) is refused, a
 * lazy one takes nothing away, and what is held is pinned again once there is a bpffs to pin it in.
 */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { DescriptorStore } from '../forward/index.js';
import {
  isBelowBpffs,
  type Kernel,
  listPins,
  pinDirectory,
  removePinTree,
} from '../kernel/index.js';
import type { Paths } from './paths.js';

/** The name of the copy in the descriptor store. */
const NAME = 'pins';

export interface HeldPins extends Disposable {
  /** Where pins are not where they belong, in words; null where they are, or where there are none. */
  fault(): string | null;
  /**
   * Pins again what is held, where the file system is there and has nothing of this node; call it under the
   * lock. Returns whether it did. Throws KernelError; then nothing is left of it.
   */
  restore(): boolean;
  /** Holds the folder as it is now. What was held and lies elsewhere is let go: only when hooks of the new one hold. */
  follow(): void;
}

/** Number of a folder, wherever it is mounted; null where there is none. */
function identity(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** Copies a tree of pins: both hold the same objects. */
function copyPins(kernel: Kernel, from: string, to: string): void {
  pinDirectory(to);
  for (const name of listPins(from)) {
    const inner = join(from, name);
    if (lstatSync(inner).isDirectory()) copyPins(kernel, inner, join(to, name));
    else kernel.copyPin(inner, join(to, name));
  }
}

/** Holds the pins of a node, or those that an agent before left in the store. */
export function holdPins(kernel: Kernel, paths: Paths, store: DescriptorStore): HeldPins {
  let held: number | null = store.take(NAME);
  const path = (fd: number): string => `/proc/self/fd/${fd}`;
  /** A folder that was removed (`weft unload`) is empty; one whose file system is gone is not. */
  const isAlive = (): boolean => held !== null && listPins(join(path(held), 'node')).length > 0;
  const isInPlace = (): boolean => held !== null && identity(path(held)) === identity(paths.pins);
  const isThere = (): boolean => listPins(join(paths.pins, 'node')).length > 0;
  const letGo = (): void => {
    if (held !== null) closeSync(held);
    held = null;
  };
  const follow = (): void => {
    if (isInPlace() || !existsSync(paths.pins) || !isBelowBpffs(paths.pins)) return;
    // A successor was given no copy, and yet there is one: systemd keeps as many as it is given of a name.
    store.forget(NAME);
    letGo();
    held = openSync(paths.pins, constants.O_RDONLY | constants.O_DIRECTORY);
    store.keep(NAME, held);
  };
  if (!isAlive()) follow();
  return {
    fault: () => {
      if (!isAlive() || isInPlace()) return null;
      return isThere()
        ? `\`${paths.pins}\` has other pins than those that this agent works with`
        : `\`${paths.pins}\` is gone with its file system; what was pinned there holds as long as this agent`;
    },
    restore: () => {
      if (held === null || !isAlive() || isInPlace() || isThere()) return false;
      if (!isBelowBpffs(dirname(paths.pins))) return false;
      // Whole or not at all, as pinAll does.
      const unfinished = `${paths.pins}_new`;
      removePinTree(unfinished);
      try {
        copyPins(kernel, path(held), unfinished);
        removePinTree(paths.pins);
        renameSync(unfinished, paths.pins);
      } catch (error) {
        removePinTree(unfinished);
        throw error;
      }
      follow();
      return true;
    },
    follow,
    [Symbol.dispose]: letGo,
  };
}
