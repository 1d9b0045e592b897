/**
 * Why libbpf gave an object up. The errno decides, not that there is a log: a load that a signal interrupted, or that
 * found no memory, leaves the log of a verifier that had refused nothing. Only what the verifier itself refused, with
 * a reason in its log, is a VerifierError; all else is a KernelError by its errno.
 */
import { constants } from 'node:os';
import { callError, type KernelError } from './kernel-error.js';
import { reasonOf, VerifierError } from './verifier-error.js';

/** A load that libbpf gave up. */
export interface RefusedLoad {
  readonly object: { readonly name: string; readonly bytes: Uint8Array };
  readonly errno: number;
  /** What libbpf said meanwhile. */
  readonly warnings: readonly string[];
  /** The verifier's log; empty where it wrote none. */
  readonly log: string;
}

const { EAGAIN, EINTR, ENOMEM } = constants.errno;
const FAILED_PROGRAM = /^prog '([^']+)': BPF program load failed/;
// Of a program with too many branches some kernels say ENOMEM (push_stack of kernel/bpf/verifier.c gives a null).
const TOO_MANY_BRANCHES = /^The sequence of \d+ jumps is too complex/;

/** True where the kernel broke the load off because a signal waited: nothing is said about the programs. */
export function isInterrupted(errno: number): boolean {
  return errno === EAGAIN || errno === EINTR;
}

/** What is thrown of it. */
export function loadError(load: RefusedLoad): VerifierError | KernelError {
  const { object, errno, warnings, log } = load;
  const program = warnings.map((line) => FAILED_PROGRAM.exec(line)?.[1]).find((name) => name);
  const cause = callError('bpf_object__load', errno, `cannot load object \`${object.name}\``, {
    details: warnings.filter((line) => !line.startsWith('failed to load object')),
    ...(isInterrupted(errno) ? { remedy: INTERRUPTED_REMEDY } : {}),
  });
  if (program === undefined || !isOfVerifier(errno, log)) return cause;
  return new VerifierError({ program, log, cause, object: object.bytes });
}

const INTERRUPTED_REMEDY =
  'signals interrupted the verifier each time: try again without what sends them (a profiler such as node --cpu-prof)';

function isOfVerifier(errno: number, log: string): boolean {
  const reason = reasonOf(log);
  if (reason === null || isInterrupted(errno)) return false;
  return errno !== ENOMEM || TOO_MANY_BRANCHES.test(reason);
}
