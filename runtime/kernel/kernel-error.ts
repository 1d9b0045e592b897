/**
 * A fault of the world at the kernel door: which call, which errno, and what to do about it.
 * Guarded by code, never by instanceof, because two copies of this module may live in one process.
 */
import { constants } from 'node:os';

export interface KernelErrorFields {
  readonly code: string;
  readonly call: string;
  readonly errno: number;
  readonly message: string;
  readonly remedy: string | null;
}

/** Thrown where the kernel or libbpf refuses; `code` is `KERNEL_` and the errno's name, or a named cause. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: string;
  readonly call: string;
  readonly errno: number;
  readonly remedy: string | null;

  constructor(fields: KernelErrorFields, options?: ErrorOptions) {
    super(fields.message, options);
    this.code = fields.code;
    this.call = fields.call;
    this.errno = fields.errno;
    this.remedy = fields.remedy;
  }
}

/** True for a KernelError, of this or another copy of this module. */
export function isKernelError(value: unknown): value is KernelError {
  return (
    value instanceof Error &&
    'code' in value &&
    typeof value.code === 'string' &&
    value.code.startsWith('KERNEL_') &&
    value.code !== 'KERNEL_VERIFIER'
  );
}

// The kernel's own ENOTSUPP is not in user space's list, yet bpf(2) returns it.
const KERNEL_ENOTSUPP = 524;

// enum libbpf_errno (libbpf.h).
const LIBBPF_FIRST_ERROR = 4000;
const LIBBPF_ERRORS = [
  ...['LIBELF', 'FORMAT', 'KVERSION', 'ENDIAN', 'INTERNAL', 'RELOC', 'LOAD', 'VERIFY'],
  ...['PROG2BIG', 'KVER', 'PROGTYPE'],
];

/** The name of an errno (`EPERM`), or `E` and the number. */
export function errnoName(errno: number): string {
  if (errno === KERNEL_ENOTSUPP) return 'ENOTSUPP';
  const ofLibbpf = LIBBPF_ERRORS[errno - LIBBPF_FIRST_ERROR];
  if (ofLibbpf) return ofLibbpf;
  const found = Object.entries(constants.errno).find(([, value]) => value === errno);
  return found?.[0] ?? `E${errno}`;
}

/** True where an errno says that this kernel lacks the operation. */
export function isUnsupported(errno: number): boolean {
  return (
    errno === KERNEL_ENOTSUPP ||
    errno === constants.errno.EOPNOTSUPP ||
    errno === constants.errno.EINVAL
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  EPERM: 'run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON',
  EACCES: 'run as root and check the permissions of the path',
  ENOENT: 'check that the path exists, and that bpffs is mounted: mount -t bpf bpf /sys/fs/bpf',
  EEXIST: 'remove the older pin or entry first',
  E2BIG: 'raise max_entries of the map, or make the program smaller',
  ENOMEM: 'free memory, or make the maps smaller',
  ENOSPC: 'raise max_entries of the map',
  EBUSY: 'another program is attached there without multi mode: detach it',
  EBADF: 'the path is no cgroup2 directory: use one below the cgroup2 mount',
};

/** A KernelError of one failed call, with the remedy usual for its errno. */
export function callError(
  call: string,
  errno: number,
  what: string,
  extra: { readonly remedy?: string; readonly details?: readonly string[] } = {},
): KernelError {
  const name = errnoName(errno);
  const details = extra.details?.length ? `: ${extra.details.join(': ')}` : '';
  return new KernelError({
    code: `KERNEL_${name}`,
    call,
    errno,
    message: `${what}: ${call} failed with ${name}${details}`,
    remedy: extra.remedy ?? REMEDIES[name] ?? null,
  });
}
