/**
 * An agent as a process of its own, as it is installed, with as many policies and workloads as a node may
 * have: resident memory and idle CPU, once it serves; by itself, with a control plane, and following a cluster. It
 * has a mount namespace of its own, so that its pins and files touch nothing of this machine.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { agentApi } from '../../runtime/agent/api/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import { controlWorld } from '../support/control-world.js';
import { FakeApiServer } from '../support/fake-api-server.js';
import { fillCluster, makeInput, PROGRAMS } from './agent-input.js';
import { benchOpen } from './open-connections.js';
import type { BenchResult } from './pairs.js';

const LIMIT_MB = 80;
const LIMIT_CPU = 0.5;
/** For some ten seconds V8 collects what the start has left: 0.9 % of a CPU, of the start and not of idling. */
const SETTLE_MS = 15_000;
const IDLE_MS = 20_000;
const QUICK_IDLE_MS = 5_000;
/** A start, also of a machine that does much else. */
const START_MS = 240_000;
/** As whoever watches a node asks: each answer costs the agent memory for a while. */
const ASK_MS = 1_000;

/** A mount namespace with bpffs and state of its own, for as long as its first process lives. */
function openRoom(): ChildProcess {
  const make =
    'mount -t bpf bpf /sys/fs/bpf; mount -t tmpfs none /run; mount -t tmpfs none /var/lib';
  const script = `set -e; ${make}; echo made; exec cat`;
  return spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

interface Memory {
  readonly resident: number;
  readonly own: number;
  readonly peak: number;
}

/** In MB. */
function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1000;
  return { resident: field('VmRSS'), own: field('RssAnon'), peak: field('VmHWM') };
}

/** CPU that all threads had, in ms: the first figure of schedstat is exact, ticks are not. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
  );
  return times.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

interface Measured extends Memory {
  /** Of one CPU, in percent. */
  readonly cpu: number;
  /** The start, until it serves. */
  readonly startMs: number;
}

interface MeasureOptions {
  readonly socket: string;
  readonly idleMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the agent, measures it when nothing goes on, and ends it. */
async function measure(
  room: ChildProcess,
  args: readonly string[],
  { socket, idleMs, env = {} }: MeasureOptions,
): Promise<Measured> {
  const command = [process.execPath, join(PROGRAMS, 'agent.mjs'), ...args, '--quiet'];
  const within = ['--mount', '--target', String(room.pid), ...command, '--socket', socket];
  const began = performance.now();
  const agent = spawn('nsenter', within, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  const said: string[] = [];
  agent.stderr?.on('data', (text) => said.push(String(text)));
  const ended = new Promise<void>((resolve) => agent.once('exit', () => resolve()));
  const pid = agent.pid ?? 0;
  try {
    const api = agentApi(socket);
    const isReady = async (): Promise<boolean> => {
      try {
        return (await api.get('/v1/ready')).status === 200;
      } catch {
        return false;
      }
    };
    while (!(await isReady())) {
      if (agent.exitCode !== null || performance.now() - began > START_MS)
        throw new Error(`the agent does not serve:\n${said.join('')}`);
      await wait(ASK_MS);
    }
    const startMs = performance.now() - began;
    await wait(SETTLE_MS);
    const [from, before] = [performance.now(), cpuOf(pid)];
    await wait(idleMs);
    const cpu = ((cpuOf(pid) - before) / (performance.now() - from)) * 100;
    return { ...memoryOf(pid), cpu, startMs };
  } finally {
    agent.kill('SIGTERM');
    await ended;
  }
}

function judged(metric: string, value: number, unit: string, limit: number | null): BenchResult {
  return {
    ...{ bench: `agent/${metric}`, metric, value, unit, peer: 'none', peerValue: Number.NaN },
    ...{ ratio: value, low: value, high: value, pairs: 1 },
    limit: limit === null ? null : { kind: 'difference-at-most', value: limit },
    held: limit === null ? null : value <= limit ? 'yes' : 'no',
  };
}

function resultsOf(start: string, { resident, own, peak, cpu, startMs }: Measured): BenchResult[] {
  return [
    judged(`${start}/resident`, resident, 'MB', LIMIT_MB),
    judged(`${start}/cpu-idle`, cpu, '% of a CPU', LIMIT_CPU),
    judged(`${start}/private`, own, 'MB', null),
    judged(`${start}/peak`, peak, 'MB', null),
    judged(`${start}/start`, startMs / 1000, 's', null),
  ];
}

/** With a control plane that it is connected to and reports to. */
async function measureControlled(
  room: ChildProcess,
  args: readonly string[],
  how: MeasureOptions,
): Promise<Measured> {
  const world = await controlWorld();
  try {
    const { port } = await world.control();
    const { ca, cert, key } = await world.authority.issue('node', 'node-1');
    const control = ['--control', `127.0.0.1:${port}`, '--ca', ca, '--cert', cert, '--key', key];
    const measured = await measure(room, [...args, ...control], how);
    if ((await world.store.get('nodes/node-1')) === null) throw new Error('it never reported');
    return measured;
  } finally {
    await world.close();
  }
}

/** In a pod of a cluster with the same workloads. */
async function measureFollowing(room: ChildProcess, how: MeasureOptions): Promise<Measured> {
  const api = await FakeApiServer.start();
  try {
    fillCluster(api);
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const mount = `mkdir -p ${folder} && cp ${api.mounted}/* ${folder}/`;
    execFileSync('nsenter', ['--mount', '--target', String(room.pid), 'sh', '-c', mount]);
    const env = {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(api.port),
    };
    const args = ['--kubernetes', 'in-cluster', '--node', 'node-1'];
    const measured = await measure(room, args, { ...how, env });
    if (!api.asked.some((line) => line.startsWith('watch pods')))
      throw new Error('it does not follow');
    return measured;
  } finally {
    await api.stop();
  }
}

interface AgentBenchOptions {
  /** `agent`, or a part of it. */
  readonly part: string;
  readonly quick: boolean;
}

/** What the whole group is, or `agent/open` alone. */
export async function benchAgent(
  _kernel: Kernel,
  folder: string,
  { part, quick }: AgentBenchOptions,
): Promise<BenchResult[]> {
  const open = await benchOpen({ quick });
  return part === 'agent/open' ? open : [...open, ...(await benchProcess(folder, quick))];
}

/** Measures an agent that loads its bundle, then those that start on what that left. */
async function benchProcess(folder: string, quick: boolean): Promise<BenchResult[]> {
  const { bundle, world } = makeInput(folder);
  const room = openRoom();
  try {
    await new Promise((resolve) => room.stdout?.once('data', resolve));
    const how = { socket: join(folder, 'agent.sock'), idleMs: quick ? QUICK_IDLE_MS : IDLE_MS };
    const written = ['--world', world];
    const results = [
      ['loaded', await measure(room, ['--bundle', bundle, ...written], how)],
      ['restarted', await measure(room, written, how)],
      ['control', await measureControlled(room, written, how)],
      ['kubernetes', await measureFollowing(room, how)],
    ] as const;
    return results.flatMap(([start, measured]) => resultsOf(start, measured));
  } finally {
    room.kill();
  }
}
