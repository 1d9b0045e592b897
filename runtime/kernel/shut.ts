/**
 * What the owner of somebody else's TCP connection could do with it, done on a copy of the owner's
 * descriptor (pidfd_getfd(2)): to shut it down, so that what has come can still be read, and behind it
 * the end; and to wake who waits for room. The copy is made only of the socket with this inode and
 * cookie, so never of another one.
 */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { processes } from './namespace.js';
import { type Native, stable } from './native.js';
import { socketCookie } from './socket.js';
import type { SocketId } from './types.js';

// The same on every architecture (include/uapi/asm-generic/unistd.h).
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const SHUT_RDWR = 2;
const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;

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
 * Runs a step with a copy of the socket that a process in or below this cgroup has. False where none
 * has it, or where this process may not copy descriptors (CAP_SYS_PTRACE).
 */
function withSocket(
  native: Native,
  cgroup: string,
  { inode, cookie }: SocketId,
  step: (copy: number) => boolean,
): boolean {
  for (const pid of processes(cgroup)) {
    for (const fd of descriptors(pid, inode)) {
      const isIt = (copy: number): boolean => socketCookie(native, copy) === cookie && step(copy);
      if (withCopy(native, pid, fd, isIt)) return true;
    }
  }
  return false;
}

/** Shuts it down both ways; false as withSocket. */
export function shutSocket(native: Native, cgroup: string, socket: SocketId): boolean {
  return withSocket(native, cgroup, socket, (copy) => native.shutdown(copy, SHUT_RDWR) === 0);
}

/**
 * Tells who waits on it that it can be written; false as withSocket. An option that is set to what it
 * is does that (net/ipv4/tcp.c, TCP_NOTSENT_LOWAT calls sk_write_space).
 */
export function wakeSender(native: Native, cgroup: string, socket: SocketId): boolean {
  return withSocket(native, cgroup, socket, (copy) => {
    const value = stable(4);
    const size = stable(4);
    new DataView(size.buffer).setUint32(0, 4, true);
    if (native.getsockopt(copy, IPPROTO_TCP, TCP_NOTSENT_LOWAT, value, size) < 0) return false;
    return native.setsockopt(copy, IPPROTO_TCP, TCP_NOTSENT_LOWAT, value, 4) === 0;
  });
}
