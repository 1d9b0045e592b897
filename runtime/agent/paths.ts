/**
 * Where a node keeps things: pins in bpffs (what the kernel enforces), a state document in /run
 * (names for what the pins hold), what outlives a restart in /var/lib, its own trust policy in /etc,
 * and the cgroup2 mount. A value, so that tests have their own.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BPFFS_PATH, findCgroup2, isBpffsMounted } from '../kernel/index.js';
import { AgentError } from './agent-error.js';

export interface Paths {
  readonly pins: string;
  readonly run: string;
  readonly lib: string;
  readonly etc: string;
  readonly cgroups: string;
}

/** What is mounted; the machine's own mounts unless a test says otherwise. */
export interface Mounts {
  readonly bpffs: boolean;
  readonly cgroup2: string | null;
}

/** The paths of this machine. Throws A002 or A003 where a file system is not mounted. */
export function machinePaths(
  mounts: Mounts = { bpffs: isBpffsMounted(), cgroup2: findCgroup2() },
): Paths {
  if (!mounts.bpffs) {
    throw new AgentError('A003', 'no bpf file system is mounted', 'mount -t bpf bpf /sys/fs/bpf');
  }
  if (mounts.cgroup2 === null) {
    const remedy = 'mount -t cgroup2 none /sys/fs/cgroup';
    throw new AgentError('A002', 'no cgroup2 hierarchy is mounted', remedy);
  }
  return {
    pins: join(BPFFS_PATH, 'weft'),
    run: '/run/weft',
    lib: '/var/lib/weft',
    etc: '/etc/weft',
    cgroups: mounts.cgroup2,
  };
}

/** Directories below the pins. */
export const pinsOf = {
  node: (paths: Paths): string => join(paths.pins, 'node'),
  maps: (paths: Paths): string => join(paths.pins, 'node', 'maps'),
  replies: (paths: Paths): string => join(paths.pins, 'node', 'replies'),
  stubs: (paths: Paths): string => join(paths.pins, 'node', 'stubs'),
  generations: (paths: Paths): string => join(paths.pins, 'generations'),
  generation: (paths: Paths, n: number): string => join(paths.pins, 'generations', String(n)),
  links: (paths: Paths): string => join(paths.pins, 'links'),
} as const;

/** Directory of a cgroup written as in world.yaml (below the mount) or as an absolute path. */
export function cgroupPath(paths: Paths, cgroup: string): string {
  if (cgroup.startsWith(`${paths.cgroups}/`) && existsSync(cgroup)) return cgroup;
  return join(paths.cgroups, cgroup);
}
