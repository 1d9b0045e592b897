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
const NOTHING = new Uint8Array(0);
const BUFFER_START = 256;

/** One buffer of a test-run: reused over runs, because fresh memory costs more than the run. */
function slot(
  native: Native,
  opts: Uint8Array,
  at: number,
  sizeAt: number,
): (size: number) => Uint8Array {
  const view = new DataView(opts.buffer);
  let memory = stable(BUFFER_START);
  let address = native.address(memory);
  return (size) => {
    if (size > memory.length) {
      memory = stable(Math.max(size, memory.length * 2));
      address = native.address(memory);
    }
    view.setBigUint64(at, size > 0 ? address : 0n, true);
    view.setUint32(sizeAt, size, true);
    return memory;
  };
}

/** Wraps a program's descriptor; the handle takes over its closing. */
export function kernelProgram(
  native: Native,
  handle: Descriptor,
  givenName?: string,
): KernelProgram {
  const first = programInfo(native, handle.fd);
  const name = givenName ?? first.name;
  return {
    name,
    get fd(): number {
      return handle.fd;
    },
    info: () => programInfo(native, handle.fd),
    testRun: testRunner(native, handle, name, first.type === PROGRAM_TYPE.syscall),
    pin: (path) => {
      const result = native.pin(handle.fd, path);
      if (result < 0)
        throw callError('bpf_obj_pin', -result, `cannot pin program \`${name}\` at \`${path}\``);
    },
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}

function makeRunner(
  native: Native,
  handle: Descriptor,
  name: string,
  isSyscall: boolean,
): KernelProgram['testRun'] {
  const opts = stable(OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(OPTS_BYTES), true);
  const dataIn = slot(native, opts, AT.dataIn, AT.dataInSize);
  const dataOut = slot(native, opts, AT.dataOut, AT.dataOutSize);
  const contextIn = slot(native, opts, AT.contextIn, AT.contextInSize);
  const contextOut = slot(native, opts, AT.contextOut, AT.contextOutSize);

  return (data, options = {}) => {
    const { repeat = 1, outSize = 0 } = options;
    const packet = isSyscall ? NOTHING : data;
    const context = isSyscall ? data : (options.context ?? NOTHING);
    dataIn(packet.length).set(packet);
    const outBytes = dataOut(outSize);
    const contextBytes = contextIn(context.length);
    contextBytes.set(context);
    // A SYSCALL program writes its context in place, and the kernel refuses an output for it.
    const contextOutBytes = contextOut(isSyscall ? 0 : context.length);
    // The kernel refuses a repeat count for SYSCALL programs too, so we repeat the call.
    view.setInt32(AT.repeat, isSyscall ? 0 : repeat, true);
    for (let call = 0; call < (isSyscall ? repeat : 1); call++) {
      const result = native.test_run(handle.fd, opts);
      if (result < 0)
        throw callError('bpf_prog_test_run_opts', -result, `cannot test-run \`${name}\``);
    }
    return {
      retval: view.getUint32(AT.retval, true),
      durationNs: view.getUint32(AT.duration, true),
      dataOut: outBytes.slice(0, outSize > 0 ? view.getUint32(AT.dataOutSize, true) : 0),
      contextOut: isSyscall
        ? contextBytes.slice(0, context.length)
        : contextOutBytes.slice(0, view.getUint32(AT.contextOutSize, true)),
    };
  };
}

// Most programs are never test-run: their buffers are made on the first one.
function testRunner(...made: Parameters<typeof makeRunner>): KernelProgram['testRun'] {
  let run: KernelProgram['testRun'] | null = null;
  return (data, options) => {
    run ??= makeRunner(...made);
    return run(data, options);
  };
}
