// Open connections that are judged again: which are asked about, as what, and when it is due.
const walk = 'bpf/open.h';
const judge = 'runtime/agent/judge-open.ts';

export const OPEN = [
  {
    class: 'wrong side',
    name: 'what came in over IPv4 is asked about as if it had gone out',
    file: walk,
    find: 'if (inet->mc_index)\n\t\treturn 1;',
    replace: 'if (inet->mc_index == 0xffff)\n\t\treturn 1;',
    suite: 'kernel/agent-open',
  },
  {
    class: 'wrong side',
    name: 'what came in over IPv6 is asked about as if it had gone out',
    file: walk,
    find: 'WEFT_AF_INET6 && inet->pinet6->mcast_oif;',
    replace: 'WEFT_AF_INET6 && inet->pinet6->mcast_oif == 0xffff;',
    suite: 'kernel/agent-open',
  },
  {
    class: 'scope',
    name: 'a server that has not answered yet is not asked about',
    file: walk,
    find: 'weft_walked_above(BPF_CORE_READ(common, skc_listener));',
    replace: '0;',
    suite: 'kernel/agent-open-kinds',
  },
  {
    class: 'scope',
    name: 'of cgroups in each other only the innermost is asked about',
    file: judge,
    find: 'path.startsWith(`',
    replace: 'path.endsWith(`',
    suite: 'kernel/agent-open-kinds',
  },
  {
    class: 'error => pass',
    name: 'what was hindered once is never done',
    file: judge,
    find: 'return open?.generation === active && open.problem === null ? null : active;',
    replace: 'return open?.generation === active ? null : active;',
    suite: 'kernel/agent-open',
  },
];
