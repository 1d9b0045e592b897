/**
 * connect/rate: TCP connect and accept through Weft (connect4, ingress SYN, sock_ops, events) against
 * the same program in a cgroup without it, in one network namespace.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundleDigest } from '../../compiler/index.js';
import { enrol, load, unload } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import { BPFFS_PATH, findCgroup2, type Kernel, mountBpffs } from '../../runtime/kernel/index.js';
import { mustCompile } from '../support/compile-texts.js';
import { benchFile, compileProgram } from './clang.js';
import { type BenchResult, measurePairs } from './pairs.js';

const NAMESPACE = 'weft-bench';
const ADDRESS = '10.9.0.1';
/** Short slices, so that neighbours in time meet the same machine; their two events a connection fit the ring. */
const CONNECTIONS = 600;
const WORLD = `
services:
  - { name: server.prod, addresses: [10.96.9.1], ports: [{ port: 80, target: 9080, protocol: tcp }], clusters: [{ name: server/v1, selector: { app: server } }], balance: round-robin }
workloads:
  - { name: server.prod, addresses: [${ADDRESS}], labels: { app: server }, serviceAccount: server, cgroup: /weft-bench/in }
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
  const paths = { pins: join(BPFFS_PATH, 'weft-bench'), run: join(folder, 'run'), cgroups };
  const groups = { in: join(cgroups, 'weft-bench/in'), out: join(cgroups, 'weft-bench/out') };
  for (const group of Object.values(groups)) mkdirSync(group, { recursive: true });
  spawnSync('ip', ['netns', 'del', NAMESPACE]);
  try {
    execFileSync('ip', ['netns', 'add', NAMESPACE]);
    execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);
    execFileSync('ip', ['-n', NAMESPACE, 'addr', 'add', `${ADDRESS}/32`, 'dev', 'lo']);
    load(kernel, paths, {
      bundle,
      digest: bundleDigest(bundle),
      world,
      now: new Date(),
      clockOffset: 0n,
    });
    enrol(kernel, paths, '/weft-bench/in');
    using events = kernel.openMap(join(paths.pins, 'node/maps/weft_events'));
    using ring = kernel.ringReader(events);
    const rate = (group: string): number => {
      const words = [
        'echo $$ > "$0"; exec "$@"',
        join(group, 'cgroup.procs'),
        'ip',
        'netns',
        'exec',
        NAMESPACE,
        program,
        ADDRESS,
        String(CONNECTIONS),
      ];
      const out = execFileSync('sh', ['-c', ...words], { encoding: 'utf8' });
      return Number(out);
    };
    let judged = 0;
    const result = measurePairs({
      bench: 'connect/rate',
      metric: 'connections_per_second',
      unit: '1/s',
      peer: 'without Weft',
      pairs: 101,
      limit: { kind: 'ratio-at-least', value: 0.9 },
      ours: () => {
        const value = rate(groups.in);
        judged += ring.drain(() => undefined);
        return value;
      },
      theirs: () => rate(groups.out),
    });
    const expected = (result.pairs + 1) * CONNECTIONS * 2;
    if (judged !== expected) throw new Error(`${judged} verdicts were seen, ${expected} expected`);
    return [result];
  } finally {
    unload(kernel, paths);
    spawnSync('ip', ['netns', 'del', NAMESPACE]);
    for (const group of [...Object.values(groups), join(cgroups, 'weft-bench')]) rmdirSync(group);
  }
}
