/**
 * Codes of errors at the kernel door. Besides these, a refused call gives `KERNEL_` and the name of
 * its errno (`KERNEL_EPERM`), with the remedy usual for it.
 */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  KERNEL_CLOSED: {
    title: 'handle used after closing',
    help: 'report this: weft used a map, program or link that it had closed',
  },
  KERNEL_EAGAIN: {
    title: 'signals interrupted the verifier, each time',
    help: 'try again without what sends them (a profiler such as node --cpu-prof)',
  },
  KERNEL_ENOMEM: {
    title: 'the kernel has no memory for a map or a program',
    help: 'free memory, or make the maps smaller',
  },
  KERNEL_EPERM: {
    title: 'the kernel forbids the call',
    help: 'run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON',
  },
  KERNEL_LINK: {
    title: 'the parts of a bundle do not fit together',
    help: 'build all parts with one version of weft',
  },
  KERNEL_MAP_MISMATCH: {
    title: 'a map kept from before has another shape',
    help: 'unload the older version first, or use objects of one build',
  },
  KERNEL_MOUNT: {
    title: 'bpffs cannot be mounted',
    help: 'run as root: mount -t bpf bpf /sys/fs/bpf',
  },
  KERNEL_NOT_BPFFS: {
    title: 'a path for pins is not on bpffs',
    help: 'use an absolute path below a bpffs mount',
  },
  KERNEL_NOT_ELF: {
    title: 'bytes are no eBPF object file',
    help: 'build the bundle again with weft build',
  },
  KERNEL_NOT_LINUX: {
    title: 'eBPF needs Linux',
    help: 'use the simulator here, or a Linux machine',
  },
  KERNEL_NO_GLOBAL: {
    title: 'an object lacks a global variable',
    help: 'build all parts with one version of weft',
  },
  KERNEL_NO_LIBBPF: {
    title: 'libbpf is not installed',
    help: 'install libbpf 1.1 or newer: apt-get install libbpf1',
  },
  KERNEL_NO_MAP: {
    title: 'an object lacks a map',
    help: 'build all parts with one version of weft',
  },
  KERNEL_NO_PROGRAM: {
    title: 'an object lacks a program',
    help: 'build all parts with one version of weft',
  },
  KERNEL_NO_PROCESS: {
    title: 'a cgroup has no process in a network namespace',
    help: 'start the workload before it is sent traffic',
  },
  KERNEL_VERIFIER: {
    title: 'the verifier refuses a program',
    help: 'make the policy at the named line simpler: fewer or shorter loops',
  },
  KERNEL_WRONG_KIND: {
    title: 'a pin is of another kind',
    help: 'give the path of a pinned map, program or link, as asked',
  },
};
