/**
 * A BPF link: the attachment lives as long as a descriptor or a pin of it. Closing an unpinned link
 * detaches the program.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { ATTACH_TYPE } from './constants.js';
import { type Descriptor, descriptor } from './handle.js';
import { linkInfo } from './info.js';
import { callError } from './kernel-error.js';
import type { Native } from './native.js';
import type { KernelLink, KernelProgram } from './types.js';

/** Wraps a link's descriptor; the handle takes over its closing. */
export function kernelLink(native: Native, handle: Descriptor): KernelLink {
  return {
    get fd(): number {
      return handle.fd;
    },
    info: () => linkInfo(native, handle.fd),
    update: (program) => {
      const result = native.link_update(handle.fd, program.fd, null);
      if (result < 0)
        throw callError('bpf_link_update', -result, `cannot switch a link to \`${program.name}\``);
    },
    detach: () => {
      const result = native.link_detach(handle.fd);
      if (result < 0) throw callError('bpf_link_detach', -result, 'cannot detach a link');
    },
    pin: (path) => {
      const result = native.pin(handle.fd, path);
      if (result < 0) throw callError('bpf_obj_pin', -result, `cannot pin a link at \`${path}\``);
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}

/** BPF_LINK_CREATE on a cgroup directory; throws KernelError. */
export function attachCgroup(
  native: Native,
  program: KernelProgram,
  cgroupPath: string,
  attachType: number,
): KernelLink {
  const what = `cannot attach \`${program.name}\` to \`${cgroupPath}\``;
  const directory = openDirectory(cgroupPath, what);
  try {
    const fd = native.link_create(program.fd, directory, attachType, null);
    if (fd < 0) throw callError('bpf_link_create', -fd, what);
    return kernelLink(native, descriptor(fd, 'link'));
  } finally {
    closeSync(directory);
  }
}

/** BPF_LINK_CREATE of a `SEC("tp_btf/...")` program; throws KernelError. */
export function attachTracepoint(native: Native, program: KernelProgram): KernelLink {
  const fd = native.link_create(program.fd, 0, ATTACH_TYPE.traceRawTracepoint, null);
  if (fd < 0) throw callError('bpf_link_create', -fd, `cannot attach \`${program.name}\``);
  return kernelLink(native, descriptor(fd, 'link'));
}

function openDirectory(path: string, what: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    const errno = Math.abs((cause as NodeJS.ErrnoException).errno ?? 0);
    throw callError('open', errno, what, { remedy: 'check that the cgroup exists' });
  }
}
