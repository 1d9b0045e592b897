/**
 * TCP sockets that Node does not make itself: inside another network namespace, from a given
 * address. The connection is Node's (`net.Socket`); only its socket(2) and bind(2) happen here.
 */
import { closeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { constants } from 'node:os';
import { callError } from './kernel-error.js';
import { inNamespace } from './namespace.js';
import { type Native, stable } from './native.js';
import type { InetName, NetworkNamespace, OpenedStream } from './types.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_OOBINLINE = 10;
const SO_COOKIE = 57;
const IPPROTO_IP = 0;
// The port is chosen at connect, by the whole tuple: else 28,000 pooled connections use up them all.
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const LOOPBACK: InetName = {
  address: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1]),
  port: 0,
};
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** True for an IPv4 address written as ::ffff:a.b.c.d. */
export function isMapped(address: Uint8Array): boolean {
  return MAPPED.every((byte, at) => address[at] === byte);
}

/** The text of 16 address bytes, as Node takes it. */
export function addressText(address: Uint8Array): string {
  if (isMapped(address)) return address.subarray(12).join('.');
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  return Array.from({ length: 8 }, (_, at) => view.getUint16(at * 2).toString(16)).join(':');
}

/** struct sockaddr_in or sockaddr_in6. */
function sockaddr({ address, port }: InetName): Uint8Array {
  const four = isMapped(address);
  const bytes = stable(four ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, four ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(four ? address.subarray(12) : address, four ? 4 : 8);
  return bytes;
}

/** The kernel's cookie of a socket; throws KernelError. */
export function socketCookie(native: Native, fd: number): bigint {
  const value = stable(8);
  const size = stable(4);
  new DataView(size.buffer).setUint32(0, 8, true);
  if (native.getsockopt(fd, SOL_SOCKET, SO_COOKIE, value, size) < 0)
    throw callError('getsockopt', native.errno(), 'cannot read the cookie of a socket');
  return new DataView(value.buffer).getBigUint64(0, true);
}

/**
 * Makes a socket inside a namespace and begins to connect it from an address (port 0: any). It
 * reports as any `net.Socket`: `connect`, or `error` with the errno's name. Throws KernelError where
 * the address is not the namespace's own; then nothing is open.
 */
export function openStream(
  native: Native,
  namespace: NetworkNamespace,
  from: InetName,
  to: InetName,
): OpenedStream {
  const family = isMapped(to.address) ? AF_INET : AF_INET6;
  const fd = inNamespace(native, namespace, () => {
    const made = native.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) throw callError('socket', native.errno(), 'cannot make a socket');
    return made;
  });
  try {
    const yes = stable(4);
    yes[0] = 1;
    native.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, yes, 4);
    // Hooks that redirect into it reckon with its send buffer alone (bpf/request/socket.h).
    native.setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, stable(4).fill(0xff), 4);
    const name = sockaddr(from);
    if (native.bind(fd, name, name.length) < 0)
      throw callError('bind', native.errno(), `cannot send from \`${addressText(from.address)}\``, {
        remedy: "check that the address is one of the workload's own",
      });
    const cookie = socketCookie(native, fd);
    // Reading starts with the connection: a socket that is not connected yet has nothing but errors.
    // The peer's end is not ours: who reads it decides.
    const options = { fd, manualStart: true, allowHalfOpen: true } as SocketConstructorOpts;
    const socket = new Socket(options);
    socket.connect({ host: addressText(to.address), port: to.port });
    return { socket, fd, cookie };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A connected TCP socket by its descriptor; it is read as soon as anybody listens to it. */
export function adoptStream(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
}

/**
 * A socket at a free loopback port, for Node to listen on. What it accepts reads urgent bytes in their
 * place, as tcp(7) lets a socket ask for: else they would be missing. Throws KernelError.
 */
export function bindLoopback(native: Native): number {
  const fd = native.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', native.errno(), 'cannot make a socket');
  const yes = stable(4);
  yes[0] = 1;
  const name = sockaddr(LOOPBACK);
  if (
    native.setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, yes, 4) < 0 ||
    native.bind(fd, name, name.length) < 0
  ) {
    const errno = native.errno();
    closeSync(fd);
    throw callError('bind', errno, 'cannot listen on the loopback address');
  }
  return fd;
}

/**
 * Sends without waiting: the number of bytes that were taken, 0 where there is no room. Throws
 * KernelError where the connection is gone.
 */
export function sendNow(native: Native, fd: number, bytes: Uint8Array): number {
  const sent = Number(native.send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL));
  if (sent >= 0) return sent;
  const errno = native.errno();
  if (errno === constants.errno.EAGAIN || errno === constants.errno.ENOMEM) return 0;
  throw callError('send', errno, 'cannot send on a socket');
}
