/** Codes of what can be wrong with a world, and with names that policies and attachments use. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  W101: {
    title: 'name not of the form name.namespace',
    help: 'use lower-case letters, digits and `-` on both sides of one dot',
  },
  W102: {
    title: 'not an IP address',
    help: 'write an IPv4 or IPv6 address without zone and prefix',
  },
  W103: {
    title: 'name given twice',
    help: 'give each service, workload and cluster a name of its own',
  },
  W104: { title: 'address given twice', help: 'one address belongs to one service or workload' },
  W105: {
    title: 'selector matches no workload',
    help: 'the cluster has no endpoint until a workload has these labels',
  },
  W106: {
    title: 'bad cgroup path',
    help: 'write an absolute path below the cgroup2 root, without `..`',
  },
  W107: { title: 'cluster of another service', help: 'name a cluster service/subset' },
  W108: {
    title: 'endpoint weights too fine',
    help: 'use weights with a common divisor, or fewer endpoints',
  },
  W109: { title: 'port given twice', help: 'one port and transport leads to one target' },
  W110: { title: 'cgroup given twice', help: 'one cgroup on a node belongs to one workload' },
  W120: {
    title: 'unknown cluster',
    help: 'name a cluster of the world, or attach the policy to its service',
  },
  W121: { title: 'ambiguous cluster', help: 'write the full form service.namespace/cluster' },
  W122: {
    title: 'attachment matches nothing',
    help: 'name a namespace, labels or a service of the world',
  },
  W123: {
    title: 'route to a service with several target ports',
    help: 'give each target port a service of its own',
  },
};
