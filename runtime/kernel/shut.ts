/**
 * Ends somebody else's TCP connection as its owner would, by shutdown(2) on a copy of the owner's
 * descriptor (pidfd_getfd(2)): what has come can still be read, and behind it the owner reads the
 * end. The copy is made only of the socket with this inode and cookie, so never of another one.
 */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { processes } from './namespace.js';
import type { Native } from './native.js';
import { socketCookie } from './socket.js';
import type { SocketId } from './types.js';

// The same on every architecture (include/uapi/asm-generic/unistd.h).
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const SHUT_RDWR = 2;

/** Descriptors of a process that are this socket; none where it has ended meanwhile. */
function descriptors(pid: string, inode: bigint): readonly number[] {
  const folder = `/proc/${pid}/fd`;
  const wanted = `socket:[${inode}]`;
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return readlinkSync(`${folder}/${name}`) === wanted ? [Number(name)] : [];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

/** Runs a step with a copy of the descriptor of another process; false where none could be had. */
function withCopy(
  native: Native,
  pid: string,
  fd: number,
  step: (copy: number) => boolean,
): boolean {
  const pidfd = Number(native.syscall(PIDFD_OPEN, Number(pid), 0, 0));
  if (pidfd < 0) return false;
  try {
    const copy = Number(native.syscall(PIDFD_GETFD, pidfd, fd, 0));
    if (copy < 0) return false;
    try {
      return step(copy);
    } finally {
      closeSync(copy);
    }
  } finally {
    closeSync(pidfd);
  }
}

/**
 * Shuts a socket down both ways that a process in or below this cgroup has. False where none has it,
 * or where this process may not copy descriptors (CAP_SYS_PTRACE).
 */
export function shutSocket(native: Native, cgroup: string, { inode, cookie }: SocketId): boolean {
  for (const pid of processes(cgroup)) {
    for (const fd of descriptors(pid, inode)) {
      const done = withCopy(
        native,
        pid,
        fd,
        (copy) => socketCookie(native, copy) === cookie && native.shutdown(copy, SHUT_RDWR) === 0,
      );
      if (done) return true;
    }
  }
  return false;
}
