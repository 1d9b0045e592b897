// What the agent writes into maps, and which policies it attaches to what.
const fill = 'runtime/agent/fill.ts';
const codec = 'runtime/agent/map-codec.ts';
const targets = 'runtime/discovery/policy-targets.ts';

export const AGENT = [
  {
    class: 'off by one in a bound',
    name: 'route numbers start at 0',
    file: fill,
    find: '[NONE, ...numbered].map(',
    replace: '[...numbered].map(',
    suite: 'unit/agent',
  },
  {
    class: 'off by one in a bound',
    name: "a cluster's endpoints start one late",
    file: fill,
    find: 'const first = endpoints.length;',
    replace: 'const first = endpoints.length + 1;',
    suite: 'kernel/path-parties',
  },
  {
    class: 'families mixed',
    name: 'IPv6 endpoints in the place of IPv4 ones',
    file: codec,
    find: 'return cluster * 2 + (family === 6 ? 1 : 0);',
    replace: 'return cluster * 2 + (family === 6 ? 0 : 1);',
    suite: 'kernel/hooks-harness',
  },
  {
    class: 'families mixed',
    name: "a workload's addresses exchanged",
    file: fill,
    find: 'address4: w.v4?.bytes ?? null,',
    replace: 'address4: w.v6?.bytes ?? null,',
    suite: 'kernel/path-parties',
  },
  {
    class: 'byte order',
    name: 'ports of services are big-endian',
    file: codec,
    find: 'view.setUint16(at.port, key.port, true);',
    replace: 'view.setUint16(at.port, key.port, false);',
    suite: 'kernel/hooks-harness',
  },
  {
    class: 'byte order',
    name: 'ports of endpoints are big-endian',
    file: codec,
    find: 'view.setUint16(at.port, value.port, true);',
    replace: 'view.setUint16(at.port, value.port, false);',
    suite: 'kernel/hooks-harness',
  },
  {
    class: 'dropped second list entry',
    name: 'a workload is known by its first address',
    file: fill,
    find: 'w.addresses.map((address) =>',
    replace: 'w.addresses.slice(0, 1).map((address) =>',
    suite: 'kernel/path-parties',
  },
  {
    class: 'wrong side',
    name: "a destination has the source's attributes",
    file: fill,
    find: 'destination: w.destination,',
    replace: 'destination: w.source,',
    suite: 'kernel/path-parties',
  },
  {
    class: 'scope',
    name: 'a policy is attached to one namespace only in name',
    file: targets,
    find: 'if (item.namespace !== undefined && item.namespace !== workload.namespace) continue;',
    replace: '',
    suite: 'kernel/path-parties',
  },
  {
    class: 'scope',
    name: 'of two policies on a workload the last counts',
    file: targets,
    find: 'workloads.set(workload, (workloads.get(workload) ?? 0n) | bit);',
    replace: 'workloads.set(workload, bit);',
    suite: 'kernel/path-parties',
  },
];
