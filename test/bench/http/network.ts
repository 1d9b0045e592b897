/**
 * Where the http group runs: a network namespace for the client and one for the servers, joined by veth,
 * and a cgroup for every role, so that Weft can enrol it and its CPU time can be read.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CLIENT = '10.9.8.2';
/** The server's two versions: the bound cluster and the one that requests are routed away to. */
export const SERVERS = { v1: '10.9.8.1', v2: '10.9.8.3' } as const;
export type Version = keyof typeof SERVERS;

export const NETNS = { client: 'weft-http-client', server: 'weft-http-server' } as const;
export type Side = keyof typeof NETNS;

/** Below the cgroup2 root. */
export const CGROUP = 'weft-bench-http';

const ip = (...args: string[]): void => void execFileSync('ip', args);

/** Removes what an earlier run may have left and makes both namespaces. */
export function makeNamespaces(): void {
  for (const name of Object.values(NETNS)) {
    spawnSync('ip', ['netns', 'del', name]);
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  const { client, server } = NETNS;
  const peer = ['peer', 'name', 'eth0', 'netns', client];
  ip('-n', server, 'link', 'add', 'eth0', 'type', 'veth', ...peer);
  ip('-n', client, 'addr', 'add', `${CLIENT}/24`, 'dev', 'eth0');
  for (const address of Object.values(SERVERS))
    ip('-n', server, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  for (const name of Object.values(NETNS)) ip('-n', name, 'link', 'set', 'eth0', 'up');
}

/** A cgroup of one role, made on first use. */
export class Group {
  readonly path: string;
  constructor(cgroups: string, name: string) {
    this.path = join(cgroups, CGROUP, name);
    mkdirSync(this.path, { recursive: true });
  }
  /** CPU seconds of all its processes so far, also of those that ended. */
  cpuSeconds(): number {
    const usage = /^usage_usec (\d+)$/m.exec(readFileSync(join(this.path, 'cpu.stat'), 'utf8'));
    return Number(usage?.[1]) / 1e6;
  }
}
