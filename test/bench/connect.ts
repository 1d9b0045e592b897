/**
 * connect/rate: TCP connect and accept through Weft (connect4, ingress SYN, sock_ops, events) against
 * the same program in cgroups without it. Client and server have a network namespace each, over veth.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleDigest } from '../../compiler/index.js';
import { enrol, load, unload } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { BPFFS_PATH, findCgroup2, type Kernel, mountBpffs } from '../../runtime/kernel/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { nodeFolders } from '../support/node-folders.js';
import { benchFile, compileProgram } from './clang.js';
import { type BenchResult, measurePairs } from './pairs.js';

const SIDES = { server: '10.9.0.1', client: '10.9.0.2' } as const;
type Side = keyof typeof SIDES;
const netns = (side: Side): string => `weft-bench-${side}`;
/** Short slices, so that neighbours in time meet the same machine; their two events a connection fit the ring. */
const CONNECTIONS = 600;
const SLICES = 31;
const WORLD = `
services:
  - { name: server.prod, addresses: [10.96.9.1], ports: [{ port: 80, target: 9080, protocol: tcp }], clusters: [{ name: server/v1, selector: { app: server } }], balance: round-robin }
workloads:
  - { name: server.prod, addresses: [${SIDES.server}], labels: { app: server }, serviceAccount: server, cgroup: /weft-bench/in-server }
  - { name: client.prod, addresses: [${SIDES.client}], labels: { app: client }, serviceAccount: client, cgroup: /weft-bench/in-client }
`;
const POLICY = `import { Connection, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.source.namespace == connection.destination.namespace ? Verdict.Allow : Verdict.Deny;
}
`;

export async function benchConnect(
  kernel: Kernel,
  folder: string,
): Promise<readonly BenchResult[]> {
  const program = join(folder, 'connect-rate');
  compileProgram(benchFile('connect-rate.c'), program);
  const bundle = await mustCompile(new Map([['same.ts', POLICY]]));
  const { world } = readWorld(WORLD, 'bench.yaml');
  const cgroups = findCgroup2();
  if (world === null || cgroups === null) throw new Error('no world or no cgroup2');
  mountBpffs();
  const paths = {
    pins: join(BPFFS_PATH, 'weft-bench'),
    ...nodeFolders(join(folder, 'run')),
    cgroups,
  };
  const group = (where: 'in' | 'out', side: Side): string =>
    join(cgroups, 'weft-bench', `${where}-${side}`);
  const groups = (['in', 'out'] as const).flatMap((where) => [
    group(where, 'server'),
    group(where, 'client'),
  ]);
  for (const path of groups) mkdirSync(path, { recursive: true });
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  const removeNamespaces = (): void => {
    for (const side of ['server', 'client'] as const)
      spawnSync('ip', ['netns', 'del', netns(side)]);
  };
  removeNamespaces();
  try {
    ip('netns', 'add', netns('server'));
    ip('netns', 'add', netns('client'));
    ip(
      '-n',
      netns('server'),
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      netns('client'),
    );
    for (const side of ['server', 'client'] as const) {
      ip('-n', netns(side), 'addr', 'add', `${SIDES[side]}/24`, 'dev', 'eth0');
      ip('-n', netns(side), 'link', 'set', 'eth0', 'up');
    }
    load(kernel, paths, {
      bundle,
      digest: bundleDigest(bundle),
      world,
      now: new Date(),
      clockOffset: 0n,
    });
    enrol(kernel, paths, '/weft-bench/in-server');
    enrol(kernel, paths, '/weft-bench/in-client');
    using events = kernel.openMap(join(paths.pins, 'node/maps/weft_events'));
    using ring = kernel.ringReader(events);
    const rate = (where: 'in' | 'out'): number => {
      const sides = (['server', 'client'] as const).flatMap((side) => [
        `/run/netns/${netns(side)}`,
        join(group(where, side), 'cgroup.procs'),
      ]);
      return Number(
        execFileSync(program, [...sides, SIDES.server, String(CONNECTIONS)], { encoding: 'utf8' }),
      );
    };
    let judged = 0;
    const result = measurePairs({
      bench: 'connect/rate',
      metric: 'connections_per_second',
      unit: '1/s',
      peer: 'without Weft',
      pairs: 31,
      slices: SLICES,
      sample: 'median',
      limit: { kind: 'ratio-at-least', value: 0.9 },
      ours: () => {
        const value = rate('in');
        judged += ring.drain(() => undefined);
        return value;
      },
      theirs: () => rate('out'),
    });
    const expected = (result.pairs * SLICES + 1) * CONNECTIONS * 2;
    if (judged !== expected) throw new Error(`${judged} verdicts were seen, ${expected} expected`);
    return [result];
  } finally {
    unload(kernel, paths);
    removeNamespaces();
    for (const path of [...groups, join(cgroups, 'weft-bench')]) rmdirSync(path);
  }
}
