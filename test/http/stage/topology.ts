/**
 * The suite's machines: a network namespace and a cgroup each, joined by a bridge in a namespace of
 * its own. Neighbours are written down, since finding them takes a second on a fresh link. Names
 * carry the process's number; `close` undoes everything, in reverse order.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { findCgroup2 } from '../../../runtime/kernel/index.js';

export interface Host {
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
  readonly namespace: string;
  /** Below the cgroup2 root, as in a world; null for who is outside the mesh. */
  readonly cgroup: string | null;
}

export const NAMES = ['client', 'v1', 'v2', 'other', 'outsider'] as const;
export type HostName = (typeof NAMES)[number];

const PREFIX = `weft-http-${process.pid}`;
const OUTSIDE: HostName = 'outsider';

/** Runs one `ip` command; throws with what it said. */
function ip(words: string): void {
  const done = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ip ${words}: ${done.stderr}`);
}

const hostOf = (name: HostName, index: number): Host => ({
  name,
  v4: `10.78.0.${index + 1}`,
  v6: `fd78::${index + 1}`,
  namespace: `${PREFIX}-${name}`,
  cgroup: name === OUTSIDE ? null : `/${PREFIX}/${name}`,
});

export const HOSTS: Readonly<Record<HostName, Host>> = Object.fromEntries(
  NAMES.map((name, index) => [name, hostOf(name, index)]),
) as Record<HostName, Host>;

const mac = (index: number): string => `02:00:00:00:78:${String(index + 1).padStart(2, '0')}`;

export class Topology {
  readonly #undo: (() => void)[] = [];
  readonly #cgroups: string;

  constructor() {
    const root = findCgroup2();
    if (root === null) throw new Error('cgroup2 is not mounted');
    this.#cgroups = root;
    try {
      this.#folder(`${root}/${PREFIX}`);
      this.#namespace(`${PREFIX}-fabric`);
      ip(`-n ${PREFIX}-fabric link add fabric type bridge`);
      ip(`-n ${PREFIX}-fabric link set fabric up`);
      for (const [index, name] of NAMES.entries()) this.#host(HOSTS[name], index);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Where a host's processes live in the cgroup tree; null outside the mesh. */
  cgroup(host: Host): string | null {
    return host.cgroup === null ? null : this.#cgroups + host.cgroup;
  }

  #folder(path: string): void {
    mkdirSync(path);
    this.#undo.push(() => rmdirSync(path));
  }

  #namespace(name: string): void {
    ip(`netns add ${name}`);
    this.#undo.push(() => ip(`netns del ${name}`));
    ip(`-n ${name} link set lo up`);
  }

  #host(host: Host, index: number): void {
    const { namespace } = host;
    const cgroup = this.cgroup(host);
    if (cgroup !== null) this.#folder(cgroup);
    this.#namespace(namespace);
    ip(`-n ${PREFIX}-fabric link add p${index} type veth peer name eth0 netns ${namespace}`);
    ip(`-n ${PREFIX}-fabric link set p${index} master fabric up`);
    ip(`-n ${namespace} link set eth0 address ${mac(index)} addrgenmode none up`);
    ip(`-n ${namespace} address add ${host.v4}/24 dev eth0`);
    ip(`-n ${namespace} address add ${host.v6}/64 dev eth0 nodad`);
    // Service addresses need a route; nobody is there.
    ip(`-n ${namespace} route add default dev eth0`);
    ip(`-n ${namespace} -6 route add default dev eth0`);
    for (const [n, other] of NAMES.entries())
      for (const address of n === index ? [] : [HOSTS[other].v4, HOSTS[other].v6])
        ip(`-n ${namespace} neigh replace ${address} lladdr ${mac(n)} dev eth0`);
  }

  /** Undoes everything, also what was made half; throws the first failure at the end. */
  close(): void {
    const failures: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
