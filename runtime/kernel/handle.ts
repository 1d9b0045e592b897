/**
 * File descriptors of kernel objects with one owner. Closing twice is harmless; using a closed
 * handle is a KernelError, never a call on a descriptor that someone else has got meanwhile.
 */
import { closeSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { KernelError } from './kernel-error.js';

export interface Descriptor extends Disposable {
  /** The number; throws KernelError `KERNEL_CLOSED` once closed. */
  readonly fd: number;
  readonly open: boolean;
}

/** Wraps a descriptor; `owned` false leaves the closing to someone else (`alive` tells when). */
export function descriptor(
  fd: number,
  what: string,
  borrowed?: { readonly alive: () => boolean },
): Descriptor {
  let closed = false;
  const isOpen = (): boolean => !closed && (borrowed?.alive() ?? true);
  return {
    get fd(): number {
      if (isOpen()) return fd;
      throw new KernelError({
        code: 'KERNEL_CLOSED',
        call: 'close',
        errno: constants.errno.EBADF,
        message: `${what} is already closed`,
        remedy: null,
      });
    },
    get open(): boolean {
      return isOpen();
    },
    [Symbol.dispose]: () => {
      if (closed) return;
      closed = true;
      if (!borrowed) closeSync(fd);
    },
  };
}

/** Makes something of a fresh descriptor, and closes it where that fails. */
export function adopt<T>(fd: number, what: string, make: (handle: Descriptor) => T): T {
  const handle = descriptor(fd, what);
  try {
    return make(handle);
  } catch (error) {
    handle[Symbol.dispose]();
    throw error;
  }
}

export type DescriptorKind = 'map' | 'program' | 'link';
const LINK_TEXT: Readonly<Record<DescriptorKind, RegExp>> = {
  map: /bpf-map/,
  program: /bpf-prog/,
  link: /bpf[-_]link/,
};

/** Closes `fd` and throws KernelError `KERNEL_WRONG_KIND` unless it is of that kind. */
export function requireKind(fd: number, kind: DescriptorKind, path: string): void {
  const text = readlinkSync(`/proc/self/fd/${fd}`);
  if (LINK_TEXT[kind].test(text)) return;
  closeSync(fd);
  throw new KernelError({
    code: 'KERNEL_WRONG_KIND',
    call: 'bpf_obj_get',
    errno: constants.errno.EINVAL,
    message: `\`${path}\` pins \`${text}\`, not a ${kind}`,
    remedy: `give the path of a pinned ${kind}`,
  });
}
