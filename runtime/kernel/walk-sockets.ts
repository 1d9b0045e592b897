/**
 * Runs an `iter/tcp` program over the TCP sockets of a network namespace. Each read of the iterator's
 * descriptor runs it for the next few hundred sockets and gives what it wrote about them, so whoever
 * reads decides how fast the walk goes, and no more than a read's worth is ever held.
 */
import { closeSync, readSync } from 'node:fs';
import { ATTACH_TYPE } from './constants.js';
import { descriptor } from './handle.js';
import { callError } from './kernel-error.js';
import { inNamespace } from './namespace.js';
import { type Native, stable } from './native.js';
import type { KernelProgram, NetworkNamespace, SocketWalk } from './types.js';

/** struct bpf_link_create_opts of libbpf 1.1. */
const OPTS_BYTES = 32;
/** What the kernel fills at once (bpf_seq_read: PAGE_SIZE << 3). */
const READ_BYTES = 32 * 1024;

/** The next bytes; the kernel asks to be read again where it saw very many sockets and wrote nothing. */
function readMore(fd: number, bytes: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, bytes);
    } catch (cause) {
      const { code, errno = 0 } = cause as NodeJS.ErrnoException;
      if (code === 'EAGAIN') continue;
      throw callError('read', Math.abs(errno), 'cannot walk the sockets of a network namespace');
    }
  }
}

/** Begins the walk; throws KernelError. */
export function walkSockets(
  native: Native,
  program: KernelProgram,
  namespace: NetworkNamespace,
): SocketWalk {
  const what = `cannot walk sockets by \`${program.name}\``;
  const opts = stable(OPTS_BYTES);
  new DataView(opts.buffer).setBigUint64(0, BigInt(OPTS_BYTES), true);
  const link = native.link_create(program.fd, 0, ATTACH_TYPE.traceIter, opts);
  if (link < 0) throw callError('bpf_link_create', -link, what);
  let fd: number;
  try {
    // The walk is over the namespace in which its descriptor is made.
    fd = inNamespace(native, namespace, () => native.iter_create(link));
  } finally {
    closeSync(link);
  }
  if (fd < 0) throw callError('bpf_iter_create', -fd, what);
  const handle = descriptor(fd, what);
  const bytes = new Uint8Array(READ_BYTES);
  return {
    read: () => {
      const size = readMore(handle.fd, bytes);
      return size === 0 ? null : bytes.subarray(0, size);
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}
