/**
 * bpffs: mounting it, and directories of pins. Everything that makes or removes is refused outside
 * a bpffs, so that a wrong path never deletes ordinary files.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { readMounts } from './cgroup.js';
import { KernelError } from './kernel-error.js';

/** Where Weft expects bpffs. */
export const BPFFS_PATH = '/sys/fs/bpf';
// BPF_FS_MAGIC, uapi/linux/magic.h.
const BPF_FS_MAGIC = 0xcafe4a11;

/** True where bpffs is mounted at the path. */
export function isBpffsMounted(path: string = BPFFS_PATH): boolean {
  return readMounts().some((mount) => mount.path === path && mount.type === 'bpf');
}

/** Mounts bpffs unless it is there already; returns whether it did. Throws KernelError. */
export function mountBpffs(path: string = BPFFS_PATH): boolean {
  if (isBpffsMounted(path)) return false;
  try {
    execFileSync('mount', ['-t', 'bpf', 'bpf', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    return true;
  } catch (cause) {
    const said = String((cause as { stderr?: unknown }).stderr ?? cause).trim();
    throw new KernelError(
      {
        code: 'KERNEL_MOUNT',
        call: 'mount',
        errno: 0,
        message: `cannot mount bpffs at \`${path}\`: ${said}`,
        remedy: `run as root: mount -t bpf bpf ${path}`,
      },
      { cause },
    );
  }
}

/** Makes a directory (and its parents) on bpffs; throws KernelError outside of one. */
export function pinDirectory(path: string): string {
  requireBpffs(path);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Names of the entries of a pin directory, sorted; empty where it does not exist. */
export function listPins(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  requireBpffs(path);
  return readdirSync(path).sort();
}

/** Removes one pin; absent is fine. Throws KernelError outside bpffs. */
export function removePin(path: string): void {
  requireBpffs(path);
  if (existsSync(path)) unlinkSync(path);
}

/**
 * Removes a pin directory with all below it; absent is fine. Throws KernelError outside bpffs, and
 * for a whole mount, where other programs keep their pins.
 */
export function removePinTree(path: string): void {
  requireBpffs(dirname(path));
  requireBpffs(path);
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) {
    const inner = join(path, name);
    if (lstatSync(inner).isDirectory()) removePinTree(inner);
    else unlinkSync(inner);
  }
  rmdirSync(path);
}

/** Whether a path, or what exists of it, lies on a bpffs. */
export function isBelowBpffs(path: string): boolean {
  if (!isAbsolute(path) || normalize(path) !== path) return false;
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  return statfsSync(existing).type >>> 0 === BPF_FS_MAGIC;
}

function requireBpffs(path: string): void {
  if (isBelowBpffs(path)) return;
  throw new KernelError({
    code: 'KERNEL_NOT_BPFFS',
    call: 'statfs',
    errno: 0,
    message: `\`${path}\` is not below a bpffs mount`,
    remedy: `use an absolute path below ${BPFFS_PATH}, and mount bpffs: mount -t bpf bpf ${BPFFS_PATH}`,
  });
}
