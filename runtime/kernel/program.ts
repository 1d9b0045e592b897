/**
 * A program handle. Test-runs use BPF_PROG_TEST_RUN; SYSCALL programs take their argument as the
 * context, everything else takes packet data (at least 14 bytes, an Ethernet header).
 */
import { PROGRAM_TYPE } from './constants.js';
import type { Descriptor } from './handle.js';
import { programInfo } from './info.js';
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import type { KernelProgram } from './types.js';

// struct bpf_test_run_opts of libbpf 1.1 (bpf.h).
const OPTS_BYTES = 80;
const AT = {
  dataIn: 8,
  dataOut: 16,
  dataInSize: 24,
  dataOutSize: 28,
  contextIn: 32,
  contextOut: 40,
  contextInSize: 48,
  contextOutSize: 52,
  retval: 56,
  repeat: 60,
  duration: 64,
} as const;

/** Wraps a program's descriptor; the handle takes over its closing. */
export function kernelProgram(
  native: Native,
  handle: Descriptor,
  givenName?: string,
): KernelProgram {
  const first = programInfo(native, handle.fd);
  const name = givenName ?? first.name;
  const isSyscall = first.type === PROGRAM_TYPE.syscall;

  return {
    name,
    get fd(): number {
      return handle.fd;
    },
    info: () => programInfo(native, handle.fd),
    testRun: (data, options = {}) => {
      const { repeat = 1, outSize = 0 } = options;
      const context = isSyscall ? data : (options.context ?? null);
      const opts = stable(OPTS_BYTES);
      const view = new DataView(opts.buffer);
      view.setBigUint64(0, BigInt(OPTS_BYTES), true);
      // Copies, because their addresses are put in the struct and must not move.
      const place = (bytes: Uint8Array | null, at: number, sizeAt: number): Uint8Array => {
        const kept = stable(bytes?.length ?? 0);
        if (!bytes || bytes.length === 0) return kept;
        kept.set(bytes);
        native.point(opts, at, kept);
        view.setUint32(sizeAt, bytes.length, true);
        return kept;
      };
      const kept = [
        place(isSyscall ? null : data, AT.dataIn, AT.dataInSize),
        place(outSize > 0 ? stable(outSize) : null, AT.dataOut, AT.dataOutSize),
        place(context, AT.contextIn, AT.contextInSize),
        place(
          context && !isSyscall ? stable(context.length) : null,
          AT.contextOut,
          AT.contextOutSize,
        ),
      ] as const;
      // The kernel refuses a repeat count for SYSCALL programs, so we repeat the call.
      const calls = isSyscall ? repeat : 1;
      view.setInt32(AT.repeat, isSyscall ? 0 : repeat, true);
      for (let call = 0; call < calls; call++) {
        const result = native.test_run(handle.fd, opts);
        if (result < 0)
          throw callError('bpf_prog_test_run_opts', -result, `cannot test-run \`${name}\``);
      }
      const out = kept[1].subarray(0, outSize > 0 ? view.getUint32(AT.dataOutSize, true) : 0);
      // A SYSCALL program writes its context in place.
      const contextOut = isSyscall
        ? kept[2]
        : kept[3].subarray(0, context ? view.getUint32(AT.contextOutSize, true) : 0);
      return {
        retval: view.getUint32(AT.retval, true),
        durationNs: view.getUint32(AT.duration, true),
        dataOut: out,
        contextOut,
      };
    },
    pin: (path) => {
      const result = native.pin(handle.fd, path);
      if (result < 0)
        throw callError('bpf_obj_pin', -result, `cannot pin program \`${name}\` at \`${path}\``);
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}
