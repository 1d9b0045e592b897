/**
 * libbpf's static linker, on memory only: parts and result are memfds, so no file needs cleaning
 * and no directory needs to be writable.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { requireElf } from './elf-header.js';
import { callError, KernelError } from './kernel-error.js';
import type { Native } from './native.js';

const MFD_CLOEXEC = 1;

interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Links the parts; throws KernelError `KERNEL_LINK` with libbpf's reasons. */
export function linkObjects(native: Native, parts: readonly Part[]): Uint8Array {
  for (const part of parts) requireElf(part.name, part.bytes);
  const fds: number[] = [];
  const file = (name: string, bytes: Uint8Array): string => {
    const fd = native.memfd(name, MFD_CLOEXEC);
    if (fd < 0) throw callError('memfd_create', native.errno(), 'cannot link');
    fds.push(fd);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const out = file('weft-linked', new Uint8Array());
    const files = parts.map((part) => ({ name: part.name, path: file(part.name, part.bytes) }));
    const { result: failed, warnings } = native.listen(() => run(native, out, files));
    if (failed) {
      const names = files.reduce(
        (text, part) => text.replaceAll(part.path, part.name),
        warnings.join(': '),
      );
      throw new KernelError({
        code: 'KERNEL_LINK',
        call: failed.call,
        errno: failed.errno,
        message: `cannot link ${parts.map((part) => `\`${part.name}\``).join(', ')}: ${names}`,
        remedy: 'build all parts with one version of weft',
      });
    }
    return new Uint8Array(readFileSync(out));
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

function run(
  native: Native,
  out: string,
  files: readonly { readonly path: string }[],
): { readonly call: string; readonly errno: number } | null {
  const linker = native.linker_new(out, null);
  if (linker === null) return { call: 'bpf_linker__new', errno: native.errno() };
  try {
    for (const { path } of files) {
      const result = native.linker_add(linker, path, null);
      if (result < 0) return { call: 'bpf_linker__add_file', errno: -result };
    }
    const result = native.linker_finalize(linker);
    return result < 0 ? { call: 'bpf_linker__finalize', errno: -result } : null;
  } finally {
    native.linker_free(linker);
  }
}
