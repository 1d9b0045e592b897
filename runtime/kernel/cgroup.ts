/**
 * Where cgroup2 is mounted, and the identity of a cgroup: the kernel's cgroup id
 * (bpf_get_current_cgroup_id) is the inode number of its directory.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { callError } from './kernel-error.js';

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** Mounts of this process' namespace, later ones last. */
export function readMounts(): readonly Mount[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, path, type] = line.split(' ');
      // The kernel writes blanks in paths as octal.
      const plain = path?.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      return plain && type ? [{ path: plain, type }] : [];
    });
}

/** The path of the cgroup2 mount, or null where there is none. */
export function findCgroup2(): string | null {
  return readMounts().find((mount) => mount.type === 'cgroup2')?.path ?? null;
}

/** The kernel's id of the cgroup at this directory; throws KernelError where there is none. */
export function cgroupId(path: string): bigint {
  try {
    return statSync(path, { bigint: true }).ino;
  } catch (cause) {
    const errno = Math.abs((cause as NodeJS.ErrnoException).errno ?? 0);
    throw callError('stat', errno, `cannot find cgroup \`${path}\``, {
      remedy: 'check that the cgroup exists below the cgroup2 mount',
    });
  }
}

/** The directory of the cgroup that this process is in; `root` is the cgroup2 mount. */
export function ownCgroup(root: string): string {
  const [path = '/'] = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('0::') ? [line.slice('0::'.length)] : []));
  return join(root, path);
}

/** The directory, at or below `root`, of the cgroup with this id; null where there is none. */
export function cgroupWithId(root: string, id: bigint): string | null {
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    let entries: readonly Dirent[];
    try {
      if (cgroupId(path) === id) return path;
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      continue; // removed meanwhile
    }
    for (const entry of entries) if (entry.isDirectory()) waiting.push(join(path, entry.name));
  }
  return null;
}
