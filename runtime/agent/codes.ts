/** Diagnostic codes of the node side: generations, enrolment, state. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  A001: {
    title: 'another process changes this node',
    help: 'wait until it ends; the message names its process id',
  },
  A002: { title: 'no cgroup2 hierarchy', help: 'mount -t cgroup2 none /sys/fs/cgroup' },
  A003: { title: 'no bpf file system', help: 'mount -t bpf bpf /sys/fs/bpf' },
  A004: { title: 'the BPF objects are missing', help: 'run `npm run build`' },
  A005: { title: 'the state document cannot be read', help: 'run `weft unload`, then load again' },
  A006: {
    title: 'bundle not for this kernel',
    help: 'add this kernel to `kernels` in weft.json, and build again',
  },
  A010: { title: 'cgroup not found', help: 'start the workload first, then enrol it' },
  A011: {
    title: 'unknown workload',
    help: 'the world of the active generation names the workloads',
  },
  A012: { title: 'not enrolled', help: '`weft status` lists the enrolled cgroups' },
  A013: { title: 'nothing is loaded', help: 'run `weft load BUNDLE` first' },
  A014: { title: 'enrolled already', help: '`weft unenrol` it first' },
  A021: {
    title: 'the bundle does not go with the world',
    help: 'the findings name the cluster or workload; correct the policy or the world file',
  },
  A022: {
    title: 'not all open connections were judged again',
    help: 'mend what hinders it, and restart the agent or load again: what was not judged is judged then; or restart the workloads whose connections must not live on',
  },
  A024: {
    title: 'the node was set up by another version',
    help: 'run `weft unload`, then load and enrol again',
  },
  A025: {
    title: 'the kernel is too old for the short circuit',
    help: 'load without `--short-circuit`, or use a kernel of 6.13 or later, or of a stable series that has its fix',
  },
  A026: {
    title: 'the processes of workloads are out of reach',
    help: 'run weft-agent as root, or grant it CAP_SYS_PTRACE',
  },
  A027: {
    title: 'the record of versions cannot be read',
    help: 'put the file back, or remove it: older bundles are then accepted once',
  },
  A028: {
    title: 'the kernel does not run what was loaded',
    help: 'find out who changed it; then `weft load` the bundle again',
  },
  A029: {
    title: 'no generation to go back to',
    help: '`weft status` lists the generations that are kept; `weft load` the bundle again',
  },
  A030: {
    title: 'the bundle answers otherwise here than its cases expect',
    help: 'compare with `weft test --engine both` of the project; what ran runs on',
  },
  A031: {
    title: 'a file of the node cannot be written',
    help: 'make room on the disk, or mend its permissions; what ran runs on',
  },
  A032: {
    title: 'the last good bundle cannot be read',
    help: '`weft load` the bundle again; what the kernel runs is not touched',
  },
  A040: {
    title: 'another agent runs on this node',
    help: 'end it first: one agent has the pools, the doors and the local API of a node',
  },
  A041: {
    title: 'the handing over to another agent failed',
    help: 'the log of the successor says why; where the one before ended in its middle, whoever starts agents starts another',
  },
  A042: {
    title: 'the world of this node cannot be used',
    help: 'correct the file that `--world` names; what ran runs on',
  },
  A043: {
    title: 'the process that loads bundles ended in its middle',
    help: 'see who ended it (the kernel, where memory ran out); what ran runs on, whole',
  },
  A050: {
    title: 'there is no world of a cluster yet',
    help: 'start the agent where the API server of the cluster answers: it writes the world down',
  },
};
