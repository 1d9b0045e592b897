/**
 * What libbpf asks before it loads a program of a section that we registered: there all functions that the program calls
 * lie behind it with their addresses resolved, and instructions may still be replaced (libbpf.h,
 * struct libbpf_prog_handler_opts). libbpf keeps what is registered for the whole process, so one thread of it loads.
 */
import { constants } from 'node:os';
import { ATTACH_TYPE, PROGRAM_TYPE } from './constants.js';
import { inlineFunctions } from './inline/inline-functions.js';
import { type Records, SLOT_BYTES } from './inline/instruction.js';
import { callError } from './kernel-error.js';
import { type Native, stable } from './native.js';
import { viewOf } from './view-of.js';

/** Sections whose programs have no more to be prepared, by what they are to the kernel (section_defs of libbpf.c). */
const SECTIONS: readonly (readonly [section: string, type: number, attach: number])[] = [
  ['tc', PROGRAM_TYPE.schedCls, 0],
  ['sk_msg', PROGRAM_TYPE.skMsg, ATTACH_TYPE.skMsgVerdict],
  ['sk_skb/stream_verdict', PROGRAM_TYPE.skSkb, ATTACH_TYPE.skSkbStreamVerdict],
  ['sockops', PROGRAM_TYPE.sockOps, ATTACH_TYPE.cgroupSockOps],
  ['cgroup_skb/ingress', PROGRAM_TYPE.cgroupSkb, ATTACH_TYPE.cgroupInetIngress],
  ['cgroup_skb/egress', PROGRAM_TYPE.cgroupSkb, ATTACH_TYPE.cgroupInetEgress],
  ['cgroup/connect4', PROGRAM_TYPE.cgroupSockAddr, ATTACH_TYPE.cgroupInet4Connect],
  ['cgroup/connect6', PROGRAM_TYPE.cgroupSockAddr, ATTACH_TYPE.cgroupInet6Connect],
  ['cgroup/sendmsg4', PROGRAM_TYPE.cgroupSockAddr, ATTACH_TYPE.cgroupUdp4Sendmsg],
  ['cgroup/sendmsg6', PROGRAM_TYPE.cgroupSockAddr, ATTACH_TYPE.cgroupUdp6Sendmsg],
];

/** struct bpf_prog_load_opts of libbpf 1.0 on (bpf.h): pointer, count and size of a record. */
const AT = { functions: 56, lines: 72 } as const;
const COUNT_AT = 8;
const SIZE_AT = 12;
const LOAD_OPTS_BYTES = 88;
/** struct libbpf_prog_handler_opts */
const HANDLER_OPTS = { bytes: 40, prepareLoad: 24 } as const;

const TYPE_BYTES = 12; // struct btf_type
const BTF_FUNC_GLOBAL = 1;

/** Registered once a process. */
const registered = new WeakSet<Native>();
/** The load under way whose programs have functions put in; null while none has. */
let loading: Loading | null = null;

interface Loading {
  readonly object: bigint;
  /** What libbpf was given addresses of, until the load is over. */
  readonly kept: Uint8Array[];
  /** What was thrown below libbpf, which cannot carry it. */
  failure: { readonly error: unknown } | null;
}

/** Runs a load of an object whose programs have functions that they call once put in (inline/inline-functions.ts). */
export function withInlining<T>(
  object: bigint,
  load: () => T,
): { readonly result: T; readonly isInlined: boolean } {
  const under: Loading = { object, kept: [], failure: null };
  loading = under;
  try {
    const result = load();
    if (under.failure !== null) throw under.failure.error;
    return { result, isInlined: under.kept.length > 0 };
  } finally {
    loading = null;
  }
}

/** To be called before an object is opened: libbpf looks sections up then. */
export function registerSections(native: Native): void {
  if (registered.has(native)) return;
  const opts = stable(HANDLER_OPTS.bytes);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(opts.length), true);
  const callback = native.prepareCallback((program, options) => {
    if (loading === null) return 0;
    try {
      return prepare(native, loading, { program, options });
    } catch (error) {
      loading.failure = { error };
      return -constants.errno.EINVAL;
    }
  });
  view.setBigUint64(HANDLER_OPTS.prepareLoad, callback, true);
  for (const [section, type, attach] of SECTIONS) {
    const result = native.register_prog_handler(section, type, attach, opts);
    if (result < 0)
      throw callError('libbpf_register_prog_handler', -result, `section \`${section}\``);
  }
  registered.add(native);
}

function prepare(
  native: Native,
  { object, kept }: Loading,
  { program, options }: { readonly program: bigint; readonly options: bigint },
): number {
  const slots = native.program_insns(program);
  if (slots === null) return 0;
  const opts = viewOf(native.view(options, LOAD_OPTS_BYTES));
  const records = (at: number): Records => {
    const size = opts.getUint32(at + SIZE_AT, true);
    const bytes = opts.getUint32(at + COUNT_AT, true) * size;
    return { bytes: native.copy(opts.getBigUint64(at, true), bytes), size };
  };
  const count = Number(native.program_insn_cnt(program));
  const inlined = inlineFunctions(
    {
      slots: native.copy(slots, count * SLOT_BYTES),
      functions: records(AT.functions),
      lines: records(AT.lines),
    },
    (type) => isGlobal(native, object, type),
  );
  if (inlined === null) return 0;
  const replace = (at: number, { bytes, size }: Records): void => {
    const memory = stable(bytes.length);
    memory.set(bytes);
    kept.push(memory);
    opts.setBigUint64(at, native.address(memory), true);
    opts.setUint32(at + COUNT_AT, bytes.length / size, true);
  };
  replace(AT.functions, inlined.functions);
  replace(AT.lines, inlined.lines);
  return native.program_set_insns(program, inlined.slots, inlined.slots.length / SLOT_BYTES);
}

/** Linkage of a function's type (btf.rst, BTF_KIND_FUNC); libbpf makes hidden ones static when it opens an object. */
function isGlobal(native: Native, object: bigint, id: number): boolean {
  const btf = native.object_btf(object);
  const type = btf === null ? null : native.btf_type(btf, id);
  if (type === null) return true;
  return (viewOf(native.copy(type, TYPE_BYTES)).getUint32(4, true) & 0xffff) === BTF_FUNC_GLOBAL;
}
