/**
 * Descriptors over unix datagrams (unix(7), SCM_RIGHTS), in the way in which systemd keeps some for a
 * service (sd_notify(3), FDSTORE=1): a text of lines, and with it the descriptor.
 */
import { closeSync } from 'node:fs';
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { DescriptorMessage, DescriptorReceiver } from './types.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const PATH_BYTES = 108;
const TEXT_BYTES = 8192;
/** Of one message, more than anybody sends. */
const MOST_DESCRIPTORS = 16;

// struct msghdr and struct cmsghdr of 64-bit machines.
const MSGHDR = { name: 0, nameBytes: 8, vector: 16, vectors: 24, control: 32, room: 40, size: 56 };
const CMSGHDR_BYTES = 16;

interface Message {
  readonly header: Uint8Array;
  readonly view: DataView;
  readonly text: Uint8Array;
  readonly control: Uint8Array;
}

function messageOf(native: Native, text: Uint8Array, control: Uint8Array): Message {
  const [header, vector] = [stable(MSGHDR.size), stable(16)];
  const view = new DataView(header.buffer);
  native.point(vector, 0, text);
  new DataView(vector.buffer).setBigUint64(8, BigInt(text.length), true);
  native.point(header, MSGHDR.vector, vector);
  view.setBigUint64(MSGHDR.vectors, 1n, true);
  if (control.length > 0) {
    native.point(header, MSGHDR.control, control);
    view.setBigUint64(MSGHDR.room, BigInt(control.length), true);
  }
  return { header, view, text, control };
}

/** struct sockaddr_un; `@` begins an abstract name. */
function addressOf(path: string): Uint8Array {
  const bytes = Buffer.from(path);
  if (bytes.length >= PATH_BYTES) throw new RangeError(`the path \`${path}\` is too long`);
  const address = stable(2 + bytes.length + (path.startsWith('@') ? 0 : 1));
  address[0] = AF_UNIX;
  address.set(bytes, 2);
  if (path.startsWith('@')) address[2] = 0;
  return address;
}

function datagramSocket(native: Native): number {
  const fd = native.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError('socket', native.errno(), 'cannot make a unix socket');
  return fd;
}

/** Sends a text, with a descriptor where one is given. Throws KernelError. */
export function sendDescriptor(
  native: Native,
  path: string,
  text: string,
  descriptor: number | null,
): void {
  const bytes = stable(Buffer.byteLength(text));
  bytes.set(Buffer.from(text));
  const control = stable(24).subarray(0, descriptor === null ? 0 : 24);
  const message = messageOf(native, bytes, control);
  if (descriptor !== null) {
    const view = new DataView(control.buffer);
    view.setBigUint64(0, BigInt(CMSGHDR_BYTES + 4), true);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, SCM_RIGHTS, true);
    view.setInt32(CMSGHDR_BYTES, descriptor, true);
  }
  const address = addressOf(path);
  native.point(message.header, MSGHDR.name, address);
  message.view.setUint32(MSGHDR.nameBytes, address.length, true);
  const fd = datagramSocket(native);
  try {
    if (native.sendmsg(fd, message.header, MSG_NOSIGNAL) < 0)
      throw callError('sendmsg', native.errno(), `cannot tell \`${path}\``);
  } finally {
    closeSync(fd);
  }
}

/** The descriptors in what came; they are the caller's from now on. */
function descriptorsIn({ view, control }: Message): readonly number[] {
  const room = Number(view.getBigUint64(MSGHDR.room, true));
  const found: number[] = [];
  const data = new DataView(control.buffer, control.byteOffset, control.byteLength);
  for (let at = 0; at + CMSGHDR_BYTES <= room; ) {
    const size = Number(data.getBigUint64(at, true));
    if (size < CMSGHDR_BYTES) break;
    const isRights =
      data.getInt32(at + 8, true) === SOL_SOCKET && data.getInt32(at + 12, true) === SCM_RIGHTS;
    for (let in_ = at + CMSGHDR_BYTES; isRights && in_ + 4 <= at + size; in_ += 4)
      found.push(data.getInt32(in_, true));
    at += (size + 7) & ~7;
  }
  return found;
}

/** Listens at a path for such messages. Throws KernelError. */
export function receiveDescriptors(native: Native, path: string): DescriptorReceiver {
  const fd = datagramSocket(native);
  const address = addressOf(path);
  if (native.bind(fd, address, address.length) < 0) {
    const errno = native.errno();
    closeSync(fd);
    throw callError('bind', errno, `cannot listen at \`${path}\``);
  }
  let closed = false;
  const next = (): Promise<DescriptorMessage | null> =>
    new Promise((resolve) => {
      const control = stable(CMSGHDR_BYTES + 4 * MOST_DESCRIPTORS);
      const message = messageOf(native, stable(TEXT_BYTES), control);
      native.recvmsgLater(fd, message.header, MSG_CMSG_CLOEXEC, (size) => {
        if (closed) {
          closeSync(fd);
          resolve(null);
          return;
        }
        const text = Buffer.from(message.text.subarray(0, Math.max(size, 0))).toString();
        resolve({ text, descriptors: size < 0 ? [] : descriptorsIn(message) });
      });
    });
  return {
    next,
    close: () => {
      if (closed) return;
      closed = true;
      // Whoever waits in `next` is woken, and closes the socket behind itself.
      sendDescriptor(native, path, '', null);
    },
  };
}
