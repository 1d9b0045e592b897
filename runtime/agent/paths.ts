/**
 * Where a node keeps things: pins in bpffs (what the kernel enforces), a state document in /run
 * (names for what the pins hold), and the cgroup2 mount. A value, so that tests have their own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from './agent-error.js';

export interface Paths {
  readonly pins: string;
  readonly run: string;
  readonly cgroups: string;
}

/** The mount point of cgroup2 (on hybrid systems /sys/fs/cgroup/unified). Throws A002 where there is none. */
export function cgroupMount(mounts: string = readFileSync('/proc/self/mounts', 'utf8')): string {
  for (const line of mounts.split('\n')) {
    const [, path, type] = line.split(' ');
    if (type === 'cgroup2' && path !== undefined) return path.replaceAll('\\040', ' ');
  }
  throw new AgentError('A002', 'no cgroup2 hierarchy is mounted', 'mount -t cgroup2 none /sys/fs/cgroup');
}

/** The paths of this machine. Throws A002 or A003 where a file system is not mounted. */
export function machinePaths(): Paths {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  if (!/^\S+ \/sys\/fs\/bpf bpf /m.test(mounts)) {
    throw new AgentError('A003', 'no bpf file system is mounted', 'mount -t bpf bpf /sys/fs/bpf');
  }
  return { pins: '/sys/fs/bpf/weft', run: '/run/weft', cgroups: cgroupMount(mounts) };
}

export const pinsOf = {
  maps: (paths: Paths): string => join(paths.pins, 'maps'),
  stubs: (paths: Paths): string => join(paths.pins, 'stubs'),
  generations: (paths: Paths): string => join(paths.pins, 'generations'),
  links: (paths: Paths): string => join(paths.pins, 'links'),
} as const;

/** Absolute path of a cgroup given as in world.yaml (below the mount) or as an absolute directory. */
export function cgroupPath(paths: Paths, cgroup: string): string {
  if (cgroup.startsWith(`${paths.cgroups}/`) && existsSync(cgroup)) return cgroup;
  return join(paths.cgroups, cgroup);
}
