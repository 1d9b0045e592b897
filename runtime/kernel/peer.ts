/**
 * Who is at the other end of a unix socket (unix(7), SO_PEERCRED): the kernel's own word, taken when
 * the connection was made, so nothing that the other end says can change it.
 */
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { PeerCredentials } from './types.js';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59; // Linux 4.13
/** NGROUPS_MAX of Linux. */
const MOST_GROUPS = 65536;
const UCRED_BYTES = 12;

function option(native: Native, fd: number, name: number, room: number): DataView {
  const value = stable(room);
  const size = stable(4);
  new DataView(size.buffer).setUint32(0, room, true);
  if (native.getsockopt(fd, SOL_SOCKET, name, value, size) < 0)
    throw callError('getsockopt', native.errno(), 'cannot read who is at the other end');
  return new DataView(value.buffer, 0, new DataView(size.buffer).getUint32(0, true));
}

/** Reads it; throws KernelError. */
export function peerOf(native: Native, fd: number): PeerCredentials {
  const ucred = option(native, fd, SO_PEERCRED, UCRED_BYTES);
  const groups = option(native, fd, SO_PEERGROUPS, 4 * MOST_GROUPS);
  const more = Array.from({ length: groups.byteLength >> 2 }, (_, at) =>
    groups.getUint32(4 * at, true),
  );
  const gid = ucred.getUint32(8, true);
  return {
    pid: ucred.getInt32(0, true),
    uid: ucred.getUint32(4, true),
    gids: [gid, ...more.filter((one) => one !== gid)],
  };
}
