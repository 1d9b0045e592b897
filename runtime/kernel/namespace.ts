/**
 * Network namespaces of workloads. A socket belongs for its whole life to the namespace that its
 * thread was in when it was made, so one socket(2) call is all that ever runs elsewhere.
 *
 * Keeps: between two statements of anybody else this thread is in its own namespace.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BugError } from '../../compiler/diagnostic/index.js';
import { type Descriptor, descriptor } from './handle.js';
import { callError, isKernelError, KernelError } from './kernel-error.js';
import type { Native } from './native.js';
import type { NetworkNamespace } from './types.js';

const CLONE_NEWNET = 0x40000000;
// The thread's own: /proc/self is that of the thread group, whose first thread this may not be.
const OWN = '/proc/thread-self/ns/net';

function errnoOf(cause: unknown): number {
  return Math.abs((cause as NodeJS.ErrnoException).errno ?? 0);
}

/** Opens a namespace by its file (`/proc/PID/ns/net` or a pin of one); throws KernelError. */
export function openNamespace(path: string): NetworkNamespace & Descriptor {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw callError('open', errnoOf(cause), `cannot open network namespace \`${path}\``, {
      remedy: 'check that a process of the workload runs',
    });
  }
  const inode = statSync(`/proc/self/fd/${fd}`, { bigint: true }).ino;
  const handle = descriptor(fd, `network namespace \`${path}\``);
  return {
    inode,
    get fd(): number {
      return handle.fd;
    },
    get open(): boolean {
      return handle.open;
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}

/**
 * Runs a synchronous step with this thread inside a namespace, and comes back whatever happens.
 * Throws KernelError where the namespace cannot be entered; a way back that is barred is a BugError.
 */
export function inNamespace<T>(native: Native, namespace: NetworkNamespace, step: () => T): T {
  const home = openSync(OWN, 'r');
  try {
    if (native.setns(namespace.fd, CLONE_NEWNET) < 0)
      throw callError('setns', native.errno(), 'cannot enter a network namespace', {
        remedy: 'run as root, or grant CAP_SYS_ADMIN',
      });
    try {
      return step();
    } finally {
      if (native.setns(home, CLONE_NEWNET) < 0)
        // biome-ignore lint/correctness/noUnsafeFinally: no result is worth staying in there.
        throw new BugError('this thread cannot return to its own network namespace');
    }
  } finally {
    closeSync(home);
  }
}

function isForbidden(error: unknown): boolean {
  const errno = isKernelError(error) ? error.errno : errnoOf(error);
  return errno === constants.errno.EACCES || errno === constants.errno.EPERM;
}

/**
 * Opens the network namespace of every process of this machine, each once (a socket may be in another
 * than its cgroup's processes); and how many processes of these cgroups may not be looked into.
 */
export function namespaces(cgroups: readonly string[]): {
  readonly found: readonly NetworkNamespace[];
  readonly unseen: number;
} {
  const found = new Map<string, NetworkNamespace>();
  const unseen: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const path = `/proc/${pid}/ns/net`;
    try {
      // Told by their links first: most processes share a few.
      const link = readlinkSync(path);
      if (!found.has(link)) found.set(link, openNamespace(path));
    } catch (error) {
      // Anything else: it has ended meanwhile.
      if (isForbidden(error)) unseen.push(pid);
    }
  }
  const concerned = unseen.length === 0 ? [] : cgroups.flatMap(processes);
  return {
    found: [...found.values()],
    unseen: unseen.filter((pid) => concerned.includes(pid)).length,
  };
}

/** Processes in a cgroup and below it; those of a cgroup that goes meanwhile are left out. */
export function processes(cgroup: string): readonly string[] {
  let names: readonly string[];
  let text: string;
  try {
    text = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8');
    names = readdirSync(cgroup, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  return [
    ...text.split('\n').filter((pid) => pid !== ''),
    ...names.flatMap((name) => processes(join(cgroup, name))),
  ];
}

/**
 * Opens the network namespace of a cgroup's processes: the one with this inode, or that of the first
 * process. Throws KernelError `KERNEL_NO_PROCESS` where none is there.
 */
export function namespaceOfCgroup(cgroup: string, inode: bigint | null): NetworkNamespace {
  for (const pid of processes(cgroup)) {
    let found: NetworkNamespace;
    try {
      found = openNamespace(`/proc/${pid}/ns/net`);
    } catch {
      continue; // it has ended meanwhile
    }
    if (inode === null || found.inode === inode) return found;
    found[Symbol.dispose]();
  }
  throw new KernelError({
    code: 'KERNEL_NO_PROCESS',
    call: 'open',
    errno: constants.errno.ESRCH,
    message: `no process of cgroup \`${cgroup}\` is in the network namespace looked for`,
    remedy: 'start the workload before it is sent traffic',
  });
}
