/**
 * Numbers of the bpf(2) interface that Weft uses. They are kernel ABI and never change.
 * Source: linux/include/uapi/linux/bpf.h (enum bpf_map_type, bpf_prog_type, bpf_attach_type) and
 * linux/include/uapi/linux/capability.h.
 */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  progArray: 3,
  percpuHash: 5,
  percpuArray: 6,
  lruHash: 9,
  lruPercpuHash: 10,
  lpmTrie: 11,
  arrayOfMaps: 12,
  hashOfMaps: 13,
  sockmap: 15,
  sockhash: 18,
  cgroupStorage: 19,
  percpuCgroupStorage: 21,
  queue: 22,
  stack: 23,
  skStorage: 24,
  ringbuf: 27,
  cgrpStorage: 32,
} as const;

export const PROGRAM_TYPE = {
  socketFilter: 1,
  schedCls: 3,
  xdp: 6,
  cgroupSkb: 8,
  cgroupSock: 9,
  sockOps: 13,
  skSkb: 14,
  skMsg: 16,
  cgroupSockAddr: 18,
  syscall: 31,
} as const;

export const ATTACH_TYPE = {
  cgroupInetIngress: 0,
  cgroupInetEgress: 1,
  cgroupInetSockCreate: 2,
  cgroupSockOps: 3,
  skSkbStreamVerdict: 5,
  skMsgVerdict: 7,
  cgroupInet4Bind: 8,
  cgroupInet6Bind: 9,
  cgroupInet4Connect: 10,
  cgroupInet6Connect: 11,
  cgroupUdp4Sendmsg: 14,
  cgroupUdp6Sendmsg: 15,
  cgroupUdp4Recvmsg: 19,
  cgroupUdp6Recvmsg: 20,
  traceRawTracepoint: 23,
  traceIter: 28,
  cgroupInet4Getpeername: 29,
  cgroupInet6Getpeername: 30,
  cgroupInet4Getsockname: 31,
  cgroupInet6Getsockname: 32,
  cgroupInetSockRelease: 34,
} as const;

/** Flags of BPF_MAP_UPDATE_ELEM. */
export const UPDATE_FLAG = { any: 0n, new: 1n, existing: 2n } as const;

/** Map creation flags. */
export const MAP_FLAG = { noPrealloc: 1, rdonlyProg: 128, mmapable: 1024 } as const;

/** Bit numbers in CapEff. */
export const CAPABILITY = {
  netAdmin: 12,
  sysPtrace: 19,
  sysAdmin: 21,
  perfmon: 38,
  bpf: 39,
} as const;

/** Map kinds whose value is one slot a possible CPU, each padded to 8 bytes. */
export const PER_CPU_MAP_TYPES: ReadonlySet<number> = new Set([
  MAP_TYPE.percpuHash,
  MAP_TYPE.percpuArray,
  MAP_TYPE.lruPercpuHash,
  MAP_TYPE.percpuCgroupStorage,
]);
