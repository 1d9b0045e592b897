/**
 * One control plane and many agents on this machine: connections with certificates on both sides, then
 * a bundle to all of them, until each has said that it took it. Time from the write of the rollout to the
 * last acknowledgement; memory and CPU of the control plane and, in processes of their own, of the agents.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { putBundle } from '../../runtime/control/bundles.js';
import { follow } from '../../runtime/control/follow.js';
import { openControl } from '../../runtime/control/index.js';
import { REAL_CLOCK } from '../../runtime/control/wire/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import {
  encodeRollout,
  type NodeReport,
  type RolloutDocument,
} from '../../runtime/rollout/index.js';
import { watchKeys } from '../../runtime/spiffe/index.js';
import { memoryStore } from '../../runtime/store/index.js';
import { testAuthority } from '../support/authority.js';
import type { BenchResult } from './pairs.js';

const AGENTS = 2_000;
const QUICK_AGENTS = 200;
const PROCESSES = 2;
const BUNDLE_BYTES = 100 * 1024;
/** All have it within this, in milliseconds. */
const LIMIT_MS = 5_000;
const ROUNDS = 5;

interface Usage {
  readonly cpuMs: number;
  readonly rss: number;
}

interface Agents {
  readonly connected: Usage;
  usage(): Promise<Usage>;
  end(): void;
}

async function startAgents(
  folder: string,
  port: number,
  first: number,
  count: number,
): Promise<Agents> {
  const entry = fileURLToPath(new URL('control-agents.js', import.meta.url));
  const args = ['--max-old-space-size=4096', entry, folder, port, first, count].map(String);
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, args);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (what: string): Promise<Usage> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the agents ended');
      const said: Usage & { what: string; text?: string } = JSON.parse(value);
      if (said.what === what) return said;
      console.error(said.text);
    }
  };
  const connected = await next('connected');
  return {
    connected,
    usage: () => {
      child.stdin.write('usage\n');
      return next('usage');
    },
    end: () => child.stdin.end(),
  };
}

function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rss: process.memoryUsage.rss() };
}

/** A rollout in its last state: every node is to run it. */
function rollout(number: number, digest: string): RolloutDocument {
  return {
    ...{ schemaVersion: 1, name: 'bench', number, digest, before: null, state: 'done' },
    spec: {
      target: {},
      stages: [{ kind: 'all', percent: null, labels: null, holdMs: 0, pause: false }],
      gates: { refusals: 0, rise: 1, differences: 1, atLeast: 1, silenceMs: 1e9, confirmMs: 1e9 },
      onShut: 'pause',
    },
    ...{ pausedBy: null, reason: null, stage: 0, since: 0, settled: null, released: false },
    ...{ canary: { below: 2 ** 32, labels: [] }, marks: {}, created: 0, by: 'bench', history: [] },
  };
}

function result(metric: string, value: number, unit: string, limit: number | null): BenchResult {
  return {
    ...{ bench: `control/${metric}`, metric, value, unit, peer: 'none', peerValue: Number.NaN },
    ...{ ratio: value, low: value, high: value, pairs: 1 },
    limit: limit === null ? null : { kind: 'difference-at-most', value: limit },
    held: limit === null ? null : value <= limit ? 'yes' : 'no',
  };
}

/** Measures it. */
export async function benchControl(
  _kernel: Kernel,
  folder: string,
  { quick }: { readonly quick: boolean },
): Promise<BenchResult[]> {
  const agents = quick ? QUICK_AGENTS : AGENTS;
  const authority = await testAuthority(folder);
  for (let i = 0; i < agents; i += 1) await authority.issue('node', `a${i}`);
  const store = memoryStore();
  const onFault = (error: unknown): void => console.error(error);
  const keys = watchKeys(await authority.issue('control', 'bench'), { onFault });
  const idle = ownUsage();
  const control = await openControl({
    ...{ store, keys, listen: '127.0.0.1:0', clock: REAL_CLOCK, onFault },
  });
  const began = performance.now();
  const per = agents / PROCESSES;
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, (_, i) => startAgents(folder, control.port, i * per, per)),
  );
  const connectMs = performance.now() - began;
  const joined = ownUsage();

  // The count of nodes that the store says run a digest, and when it became all.
  const taken = new Map<string, Set<string>>();
  let onTaken = (): void => {};
  const stop = new AbortController();
  const { entries } = follow(store, 'nodes/', {
    ...{ signal: stop.signal, clock: REAL_CLOCK, onFault },
    onChange: (changed) => {
      for (const key of changed) {
        const value = entries.get(key);
        if (value === undefined) continue;
        const { active }: NodeReport = JSON.parse(new TextDecoder().decode(value));
        if (active === null) continue;
        taken.set(active.digest, (taken.get(active.digest) ?? new Set()).add(key));
      }
      onTaken();
    },
  });
  const samples: number[] = [];
  const cpu: number[] = [];
  let peak = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const digest = `sha256:${String(round).padStart(64, '0')}`;
    // Bytes that do not compress, another bundle each time.
    const bundle = Buffer.from(Array.from({ length: BUNDLE_BYTES }, () => Math.random() * 256));
    await putBundle(store, digest, { name: 'bench', bundle, signatures: null });
    const before = ownUsage();
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 20);
    const start = performance.now();
    await store.commit(
      [],
      [{ key: 'rollouts/bench', value: encodeRollout(rollout(round + 1, digest)) }],
    );
    await new Promise<void>((resolve) => {
      onTaken = () => {
        if (taken.get(digest)?.size === agents) resolve();
      };
      onTaken();
    });
    samples.push(performance.now() - start);
    clearInterval(watch);
    cpu.push(ownUsage().cpuMs - before.cpuMs);
    console.error(`control: ${agents} agents took it in ${Math.round(samples.at(-1) ?? 0)} ms`);
  }
  const after = await Promise.all(processes.map((p) => p.usage()));
  const idleBefore = ownUsage();
  const idleBegan = performance.now();
  await new Promise((resolve) => setTimeout(resolve, quick ? 1_000 : 10_000));
  const idleShare = (ownUsage().cpuMs - idleBefore.cpuMs) / (performance.now() - idleBegan);
  stop.abort();
  for (const p of processes) p.end();
  await control.close();
  keys.close();
  samples.sort((a, b) => a - b);
  cpu.sort((a, b) => a - b);
  const middle = (values: readonly number[]): number =>
    values[Math.floor(values.length / 2)] ?? Number.NaN;
  const worst = samples.at(-1) ?? Number.NaN;
  const agentRss = after.reduce((sum, { rss }) => sum + rss, 0);
  return [
    result('deploy-median', middle(samples), 'ms', null),
    result('deploy-slowest', worst, 'ms', LIMIT_MS),
    result('connect-all', connectMs, 'ms', null),
    result('control-memory-per-agent', (joined.rss - idle.rss) / agents / 1024, 'KiB', null),
    result('control-memory-peak', peak / 2 ** 20, 'MiB', null),
    result('control-cpu-per-deploy-and-agent', middle(cpu) / agents, 'ms', null),
    result('control-cpu-idle', idleShare * 100, '% of a CPU', null),
    result('control-cpu-per-connect', (joined.cpuMs - idle.cpuMs) / agents, 'ms', null),
    result('simulated-agent-memory', agentRss / agents / 1024, 'KiB', null),
  ];
}
