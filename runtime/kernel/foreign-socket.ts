/**
 * Calls on somebody else's TCP connection, on a copy of the owner's descriptor (pidfd_getfd(2)). They
 * are made only on the socket with this inode and cookie, so never on another one.
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
const TCP_NODELAY = 1;
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

/** Runs a step with a copy of this socket of a process in or below a cgroup; false where it has none. */
function withSocket(
  native: Native,
  cgroup: string,
  { inode, cookie }: SocketId,
  step: (copy: number) => boolean,
): boolean {
  const isDone = (copy: number): boolean => socketCookie(native, copy) === cookie && step(copy);
  return processes(cgroup).some((pid) =>
    descriptors(pid, inode).some((fd) => withCopy(native, pid, fd, isDone)),
  );
}

/**
 * Shuts a socket down both ways, as its owner would: what has come can still be read, and behind it the
 * owner reads the end. False where no process of the cgroup has it, or where this process may not
 * copy descriptors (CAP_SYS_PTRACE).
 */
export function shutSocket(native: Native, cgroup: string, socket: SocketId): boolean {
  return withSocket(native, cgroup, socket, (copy) => native.shutdown(copy, SHUT_RDWR) === 0);
}

/**
 * Makes a socket send what it holds back for more to come (tcp(7), TCP_NODELAY: setting it flushes).
 * The option is left as it was. False as above.
 */
export function pushSocket(native: Native, cgroup: string, socket: SocketId): boolean {
  return withSocket(native, cgroup, socket, (copy) => {
    const [was, size, on] = [stable(4), stable(4), stable(4)];
    size[0] = 4;
    on[0] = 1;
    if (native.getsockopt(copy, IPPROTO_TCP, TCP_NODELAY, was, size) < 0) return false;
    const isSet = native.setsockopt(copy, IPPROTO_TCP, TCP_NODELAY, on, 4) === 0;
    return native.setsockopt(copy, IPPROTO_TCP, TCP_NODELAY, was, 4) === 0 && isSet;
  });
}

/**
 * Tells who waits on a socket that it can be written: an option that is set to what it is does that
 * (net/ipv4/tcp.c, TCP_NOTSENT_LOWAT calls sk_write_space). False as above.
 */
export function wakeSender(native: Native, cgroup: string, socket: SocketId): boolean {
  return withSocket(native, cgroup, socket, (copy) => {
    const [value, size] = [stable(4), stable(4)];
    size[0] = 4;
    if (native.getsockopt(copy, IPPROTO_TCP, TCP_NOTSENT_LOWAT, value, size) < 0) return false;
    return native.setsockopt(copy, IPPROTO_TCP, TCP_NOTSENT_LOWAT, value, 4) === 0;
  });
}
