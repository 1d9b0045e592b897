/**
 * Ends somebody else's TCP connections: SOCK_DESTROY of sock_diag(7), each found by its addresses and
 * ports inside its network namespace and by its cookie, so never another one. The owner's next call
 * gives ECONNABORTED, also one that blocks already.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { BugError } from '../../compiler/diagnostic/index.js';
import { callError } from './kernel-error.js';
import { inNamespace } from './namespace.js';
import { type Native, stable } from './native.js';
import { isMapped } from './socket.js';
import type { NetworkNamespace, SocketName } from './types.js';

const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const IPPROTO_TCP = 6;
const MSG_DONTWAIT = 0x40;

// struct nlmsghdr, then struct inet_diag_req_v2 (linux/inet_diag.h).
const SOCK_DESTROY = 21;
const NLM_F_REQUEST_ACK = 5;
const NLMSG_ERROR = 2;
const REQUEST_BYTES = 72;
const ANSWER_BYTES = 256;
const ANY_STATE = 0xffffffff;
const AT = {
  ...{ type: 4, flags: 6, family: 16, protocol: 17, states: 20 },
  ...{ sourcePort: 24, destinationPort: 26, source: 28, destination: 44, cookie: 64 },
} as const;
const ERROR_AT = 16;
const WHAT = 'cannot end a connection';

function request({ local, remote, cookie }: SocketName): Uint8Array {
  const bytes = stable(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  const four = isMapped(local.address) && isMapped(remote.address);
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(AT.type, SOCK_DESTROY, true);
  view.setUint16(AT.flags, NLM_F_REQUEST_ACK, true);
  view.setUint8(AT.family, four ? AF_INET : AF_INET6);
  view.setUint8(AT.protocol, IPPROTO_TCP);
  view.setUint32(AT.states, ANY_STATE, true);
  view.setUint16(AT.sourcePort, local.port);
  view.setUint16(AT.destinationPort, remote.port);
  bytes.set(four ? local.address.subarray(12) : local.address, AT.source);
  bytes.set(four ? remote.address.subarray(12) : remote.address, AT.destination);
  view.setBigUint64(AT.cookie, cookie, true);
  return bytes;
}

/** Asks on a socket of the namespace. */
function endOne(native: Native, fd: number, name: SocketName): boolean {
  if (Number(native.send(fd, request(name), REQUEST_BYTES, 0)) < 0)
    throw callError('send', native.errno(), WHAT);
  const answer = stable(ANSWER_BYTES);
  if (Number(native.recv(fd, answer, ANSWER_BYTES, MSG_DONTWAIT)) < 0)
    throw callError('recv', native.errno(), WHAT);
  const view = new DataView(answer.buffer);
  if (view.getUint16(AT.type, true) !== NLMSG_ERROR) throw new BugError('no answer to destroy');
  const errno = -view.getInt32(ERROR_AT, true);
  if (errno === 0) return true;
  if (errno === constants.errno.ENOENT || errno === constants.errno.ESTALE) return false;
  throw callError('SOCK_DESTROY', errno, WHAT, {
    remedy: 'use a kernel with CONFIG_INET_DIAG_DESTROY',
  });
}

/** How many of the connections were there and are ended; the others are gone already. Throws KernelError. */
export function destroySockets(
  native: Native,
  namespace: NetworkNamespace,
  names: readonly SocketName[],
): number {
  if (names.length === 0) return 0;
  const fd = inNamespace(native, namespace, () =>
    native.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
  );
  if (fd < 0) throw callError('socket', native.errno(), WHAT);
  try {
    return names.filter((name) => endOne(native, fd, name)).length;
  } finally {
    closeSync(fd);
  }
}
