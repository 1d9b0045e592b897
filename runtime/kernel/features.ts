/**
 * What this kernel offers, found by trying and never by version: distributions backport. Each row
 * names what is missing and what helps.
 */
import { closeSync, existsSync } from 'node:fs';
import { constants } from 'node:os';
import { BPFFS_PATH, isBpffsMounted } from './bpffs.js';
import { findCgroup2 } from './cgroup.js';
import { ATTACH_TYPE, MAP_TYPE, PROGRAM_TYPE } from './constants.js';
import { errnoName } from './kernel-error.js';
import { type Native, stable } from './native.js';
import { canReachProcesses, isPrivileged } from './privileges.js';
import { BTF_INT_TYPE, functionBtf } from './probe-btf.js';
import {
  globalCall,
  loadProbe,
  mayGoto,
  type ProbeOptions,
  probeProgram,
  returning,
} from './probe-program.js';
import type { Feature } from './types.js';

const VMLINUX_BTF = '/sys/kernel/btf/vmlinux';
const NEWER = 'use a newer kernel (6.1 or later)';
const NEEDS_ROOT = 'run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON';

/** Probes everything Weft may use, in a fixed order. */
export function probeFeatures(native: Native): readonly Feature[] {
  return [...environment(), ...programs(native), ...maps(native), ...abilities(native)];
}

/** True where the kernel takes the may_goto instruction. */
export function hasMayGoto(native: Native): boolean {
  return probeProgram(native, PROGRAM_TYPE.schedCls, mayGoto()) === 0;
}

function row(
  name: string,
  required: boolean,
  present: boolean,
  detail: string,
  remedy: string,
): Feature {
  return { name, present, required, detail, remedy: present ? null : remedy };
}

/** A row of a probe that gives an errno (0: works). */
function tried(name: string, required: boolean, errno: number, config: string): Feature {
  const isForbidden = errno === constants.errno.EPERM;
  return row(
    name,
    required,
    errno === 0,
    errno === 0 ? 'works' : errnoName(errno),
    isForbidden ? NEEDS_ROOT : `${NEWER}${config === '' ? '' : ` with ${config}`}`,
  );
}

function environment(): readonly Feature[] {
  const cgroup2 = findCgroup2();
  const bpffs = isBpffsMounted();
  const btf = existsSync(VMLINUX_BTF);
  const privileged = isPrivileged();
  const reaches = canReachProcesses();
  return [
    row('privileges', true, privileged, privileged ? 'sufficient' : 'missing', NEEDS_ROOT),
    row(
      'processes of workloads',
      false,
      reaches,
      reaches ? 'within reach' : 'out of reach',
      'run weft-agent as root, or grant it CAP_SYS_PTRACE: where requests are judged it needs it',
    ),
    row(
      'cgroup2',
      true,
      cgroup2 !== null,
      cgroup2 ?? 'not mounted',
      'mount it: mount -t cgroup2 none /sys/fs/cgroup',
    ),
    row(
      'bpffs',
      true,
      bpffs,
      bpffs ? BPFFS_PATH : 'not mounted',
      `mount it: mount -t bpf bpf ${BPFFS_PATH}`,
    ),
    row('btf', true, btf, btf ? VMLINUX_BTF : 'absent', 'use a kernel with CONFIG_DEBUG_INFO_BTF'),
  ];
}

const SOCK_ADDR = PROGRAM_TYPE.cgroupSockAddr;
const PROGRAMS: readonly (readonly [string, boolean, number, number, number])[] = [
  // name, required, program type, attach type, a return value that the verifier admits
  ['program cgroup/connect4', true, SOCK_ADDR, ATTACH_TYPE.cgroupInet4Connect, 1],
  ['program cgroup/connect6', true, SOCK_ADDR, ATTACH_TYPE.cgroupInet6Connect, 1],
  ['program cgroup/sendmsg4', true, SOCK_ADDR, ATTACH_TYPE.cgroupUdp4Sendmsg, 1],
  ['program cgroup/sendmsg6', true, SOCK_ADDR, ATTACH_TYPE.cgroupUdp6Sendmsg, 1],
  ['program cgroup/recvmsg4', true, SOCK_ADDR, ATTACH_TYPE.cgroupUdp4Recvmsg, 1],
  ['program cgroup/recvmsg6', true, SOCK_ADDR, ATTACH_TYPE.cgroupUdp6Recvmsg, 1],
  ['program cgroup/getpeername4', true, SOCK_ADDR, ATTACH_TYPE.cgroupInet4Getpeername, 1],
  ['program cgroup/getpeername6', true, SOCK_ADDR, ATTACH_TYPE.cgroupInet6Getpeername, 1],
  ['program sockops', true, PROGRAM_TYPE.sockOps, ATTACH_TYPE.cgroupSockOps, 1],
  ['program cgroup_skb/ingress', true, PROGRAM_TYPE.cgroupSkb, ATTACH_TYPE.cgroupInetIngress, 1],
  [
    'program cgroup/sock_create',
    true,
    PROGRAM_TYPE.cgroupSock,
    ATTACH_TYPE.cgroupInetSockCreate,
    1,
  ],
  ['program tc', true, PROGRAM_TYPE.schedCls, 0, 0],
  ['program sk_msg', false, PROGRAM_TYPE.skMsg, ATTACH_TYPE.skMsgVerdict, 1],
];

function programs(native: Native): readonly Feature[] {
  return PROGRAMS.map(([name, required, type, attachType, value]) =>
    tried(
      name,
      required,
      probeProgram(native, type, returning(value), { attachType }),
      name === 'program sk_msg' ? 'CONFIG_BPF_STREAM_PARSER' : 'CONFIG_CGROUP_BPF',
    ),
  );
}

interface MapProbe {
  readonly name: string;
  readonly required: boolean;
  readonly type: number;
  readonly shape: readonly [key: number, value: number, entries: number];
  readonly flags?: number;
  readonly btf?: boolean;
}
const PAGE = 4096;
const NO_PREALLOC = 1;
const MAPS: readonly MapProbe[] = [
  { name: 'map hash', required: true, type: MAP_TYPE.hash, shape: [4, 4, 1] },
  { name: 'map lru_hash', required: true, type: MAP_TYPE.lruHash, shape: [4, 4, 1] },
  { name: 'map percpu_array', required: true, type: MAP_TYPE.percpuArray, shape: [4, 8, 1] },
  { name: 'map ringbuf', required: true, type: MAP_TYPE.ringbuf, shape: [0, 0, PAGE] },
  { name: 'map prog_array', required: true, type: MAP_TYPE.progArray, shape: [4, 4, 1] },
  {
    name: 'map sk_storage',
    required: true,
    type: MAP_TYPE.skStorage,
    shape: [4, 4, 0],
    flags: NO_PREALLOC,
    btf: true,
  },
  // struct bpf_cgroup_storage_key is 16 bytes; a bare u64 cgroup id is the newer form (5.9).
  { name: 'map cgroup_storage', required: false, type: MAP_TYPE.cgroupStorage, shape: [16, 8, 0] },
];

function maps(native: Native): readonly Feature[] {
  return MAPS.map((probe) => tried(probe.name, probe.required, probeMap(native, probe), ''));
}

// struct bpf_map_create_opts of libbpf 1.1 (bpf.h).
const CREATE_OPTS_BYTES = 48;
const CREATE_AT = { btfFd: 8, keyType: 12, valueType: 16, flags: 28 } as const;

function probeMap(native: Native, probe: MapProbe): number {
  const opts = stable(CREATE_OPTS_BYTES);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(CREATE_OPTS_BYTES), true);
  view.setUint32(CREATE_AT.flags, probe.flags ?? 0, true);
  const btf = probe.btf ? loadBtf(native, functionBtf(0).image) : -1;
  try {
    if (probe.btf && btf < 0) return -btf;
    if (probe.btf) {
      view.setUint32(CREATE_AT.btfFd, btf, true);
      view.setUint32(CREATE_AT.keyType, BTF_INT_TYPE, true);
      view.setUint32(CREATE_AT.valueType, BTF_INT_TYPE, true);
    }
    const [key, value, entries] = probe.shape;
    return closed(native.map_create(probe.type, 'weft_probe', key, value, entries, opts));
  } finally {
    if (btf >= 0) closeSync(btf);
  }
}

function loadBtf(native: Native, image: Uint8Array): number {
  return native.listen(() => native.btf_load(image, image.length, null)).result;
}

function closed(fd: number): number {
  if (fd < 0) return -fd;
  closeSync(fd);
  return 0;
}

function abilities(native: Native): readonly Feature[] {
  return [
    tried('global functions', true, probeGlobalFunction(native), 'BTF'),
    tried(
      'may_goto',
      false,
      probeProgram(native, PROGRAM_TYPE.schedCls, mayGoto()),
      'may_goto (6.9), or keep loops short',
    ),
    tried('cgroup link', true, probeCgroupLink(native), 'CONFIG_CGROUP_BPF'),
    tried('batch updates', false, probeBatch(native), ''),
  ];
}

function probeGlobalFunction(native: Native): number {
  const body = globalCall();
  const { image, funcInfo } = functionBtf(body.length - returning(0).length);
  const btfFd = loadBtf(native, image);
  if (btfFd < 0) return -btfFd;
  try {
    const options: ProbeOptions = { btfFd, funcInfo };
    return probeProgram(native, PROGRAM_TYPE.schedCls, body, options);
  } finally {
    closeSync(btfFd);
  }
}

/** BPF_LINK_CREATE on a descriptor that is no cgroup: EBADF where links on cgroups are known. */
function probeCgroupLink(native: Native): number {
  const type = ATTACH_TYPE.cgroupInet4Connect;
  const program = loadProbe(native, SOCK_ADDR, returning(1), { attachType: type });
  if (program < 0) return -program;
  try {
    const result = native.link_create(program, program, type, null);
    if (result >= 0) return closed(result);
    return -result === constants.errno.EBADF ? 0 : -result;
  } finally {
    closeSync(program);
  }
}

function probeBatch(native: Native): number {
  const fd = native.map_create(MAP_TYPE.hash, 'weft_probe', 4, 4, 1, null);
  if (fd < 0) return -fd;
  try {
    const count = new Uint8Array(new Uint32Array([1]).buffer);
    const result = native.update_batch(fd, stable(4), stable(4), count, null);
    return result < 0 ? -result : 0;
  } finally {
    closeSync(fd);
  }
}
