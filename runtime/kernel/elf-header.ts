/**
 * A look at an ELF header before libbpf sees it: its linker (1.1) crashes the process on bytes that
 * are no ELF file at all.
 */
import { KernelError } from './kernel-error.js';

const ELF64_LITTLE = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const HEADER_BYTES = 64;
const EM_BPF = 247;
const MACHINE_AT = 18;

/** Throws KernelError `KERNEL_NOT_ELF` unless the bytes begin as a 64-bit little-endian eBPF object. */
export function requireElf(name: string, bytes: Uint8Array): void {
  const isElf =
    bytes.length >= HEADER_BYTES &&
    ELF64_LITTLE.every((byte, at) => bytes[at] === byte) &&
    bytes[MACHINE_AT] === EM_BPF &&
    bytes[MACHINE_AT + 1] === 0;
  if (isElf) return;
  throw new KernelError({
    code: 'KERNEL_NOT_ELF',
    call: 'bpf_object__open_mem',
    errno: 0,
    message: `\`${name}\` is no eBPF object file`,
    remedy: 'build the bundle again with weft build',
  });
}
