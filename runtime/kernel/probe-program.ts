/**
 * Loads tiny hand-written programs to see whether this kernel takes them. Nothing is kept: each
 * descriptor is closed before the probe returns.
 *
 * An instruction is 8 bytes: opcode, dst | src << 4, offset (16 bits), immediate (32 bits);
 * RFC 9669, section 3.
 */
import { closeSync } from 'node:fs';
import { type Native, stable } from './native.js';

const INSTRUCTION_BYTES = 8;

/** One instruction. */
export function instruction(
  opcode: number,
  registers: number,
  offset: number,
  immediate: number,
): Uint8Array {
  const bytes = new Uint8Array(INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = opcode;
  bytes[1] = registers;
  view.setInt16(2, offset, true);
  view.setInt32(4, immediate, true);
  return bytes;
}

export const MOV64_IMM = 0xb7;
const EXIT = instruction(0x95, 0, 0, 0);

/** `return value;` */
export function returning(value: number): readonly Uint8Array[] {
  return [instruction(MOV64_IMM, 0, 0, value), EXIT];
}

/**
 * `while (may_goto) {} return 0;`: opcode BPF_JMP | BPF_JCOND (0xe5), kernel 6.9 and newer. A loop as
 * programs have it: 6.12 refuses one that jumps nowhere.
 */
export function mayGoto(): readonly Uint8Array[] {
  return [instruction(0xe5, 0, 1, 0), instruction(0x05, 0, -2, 0), ...returning(0)];
}

/** A call of a function of the same program, then its body: r1 is an int. */
export function globalCall(): readonly Uint8Array[] {
  const CALL = 0x85;
  const PSEUDO_CALL = 1 << 4;
  return [
    instruction(MOV64_IMM, 1, 0, 1),
    instruction(CALL, PSEUDO_CALL, 0, 1),
    EXIT,
    ...returning(1),
  ];
}

export interface ProbeOptions {
  readonly attachType?: number;
  readonly btfFd?: number;
  readonly funcInfo?: Uint8Array;
}

// struct bpf_prog_load_opts of libbpf 1.1 (bpf.h).
const OPTS_BYTES = 104;
const AT = {
  attachType: 12,
  btfFd: 16,
  funcInfo: 56,
  funcInfoCount: 64,
  funcInfoSize: 68,
} as const;
const FUNC_INFO_BYTES = 8; // struct bpf_func_info: insn_off, type_id

/** Loads a program and returns its descriptor, or a negative errno. */
export function loadProbe(
  native: Native,
  type: number,
  instructions: readonly Uint8Array[],
  options: ProbeOptions = {},
): number {
  const code = stable(instructions.length * INSTRUCTION_BYTES);
  instructions.forEach((bytes, index) => {
    code.set(bytes, index * INSTRUCTION_BYTES);
  });
  const funcInfo = stable(options.funcInfo?.length ?? 0);
  const opts = stable(OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(OPTS_BYTES), true);
  view.setUint32(AT.attachType, options.attachType ?? 0, true);
  if (options.funcInfo && options.btfFd !== undefined) {
    funcInfo.set(options.funcInfo);
    view.setUint32(AT.btfFd, options.btfFd, true);
    native.point(opts, AT.funcInfo, funcInfo);
    view.setUint32(AT.funcInfoCount, funcInfo.length / FUNC_INFO_BYTES, true);
    view.setUint32(AT.funcInfoSize, FUNC_INFO_BYTES, true);
  }
  return native.prog_load(type, 'weft_probe', 'GPL', code, instructions.length, opts);
}

/** Errno of a probe load: 0 where the kernel takes the program. */
export function probeProgram(
  native: Native,
  type: number,
  instructions: readonly Uint8Array[],
  options: ProbeOptions = {},
): number {
  const fd = loadProbe(native, type, instructions, options);
  if (fd < 0) return -fd;
  closeSync(fd);
  return 0;
}
