/**
 * An agent as a process of its own, as it is installed, with as many policies and workloads as a node may
 * have: resident memory and idle CPU, once it serves. It has a mount namespace of its own, so that its
 * pins and files touch nothing of this machine; what it is given is built by the verb.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agentApi } from '../../runtime/agent/api/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import type { BenchResult } from './pairs.js';

const POLICIES = 64;
const ATTACHMENTS = 100;
const WORKLOADS = 10_000;
const SERVICES = 50;
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
const PROGRAMS = fileURLToPath(new URL('../../', import.meta.url));

/** Half of them of requests. */
function policyText(index: number): string {
  if (index % 2 === 0) {
    return `import { Connection, Table, Verdict } from "weft";
const plans = new Table<u32>("plans");
for (let i = 0; i < 100; i++) plans.set("app-" + (i * ${index + 1}).toString(), i % 3);
export function authorizeConnection(connection: Connection): Verdict {
  if (!connection.source.namespace.is("ns-${index}")) return Verdict.Pass;
  return connection.destination.port == ${1024 + index} ? Verdict.Deny : Verdict.Allow;
}
`;
  }
  return `import { Request, Table, Verdict } from "weft";
const tenants = new Table<u32>("tenants");
for (let i = 0; i < 100; i++) tenants.set("tenant-" + (i * ${index + 1}).toString(), i % 3);
export function authorizeRequest(request: Request): Verdict {
  if (request.path.startsWith("/private-${index}")) return Verdict.Deny;
  if (tenants.get(request.header("x-tenant")) == 2) return Verdict.Allow;
  return Verdict.Pass;
}
`;
}

function worldText(): string {
  const workloads = Array.from({ length: WORKLOADS }, (_, i) => ({
    name: `w${i}.ns-${i % ATTACHMENTS}`,
    addresses: [`10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, `fd00:1::${i.toString(16)}`],
    labels: { app: `app-${i % SERVICES}`, version: `v${i % 3}`, tier: i % 2 === 0 ? 'web' : 'db' },
    serviceAccount: `account-${i % 200}`,
    locality: { region: 'eu', zone: `eu-${i % 3}` },
    node: `node-${i % 100}`,
    cgroup: `/kubepods/pod-${i}`,
  }));
  const services = Array.from({ length: SERVICES }, (_, i) => ({
    name: `s${i}.ns-${i}`,
    addresses: [`10.250.0.${i + 1}`],
    ports: [{ port: 80, target: 9080, protocol: 'http' }],
    clusters: [{ name: `s${i}/all`, selector: { app: `app-${i}` } }],
  }));
  const line = (item: object): string => `  - ${JSON.stringify(item)}\n`;
  return `services:\n${services.map(line).join('')}workloads:\n${workloads.map(line).join('')}`;
}

/** Writes the project and the world, and builds the bundle with the verb. */
function makeBundle(folder: string): { readonly bundle: string; readonly world: string } {
  const project = join(folder, 'agent');
  mkdirSync(join(project, 'policies'), { recursive: true });
  const policies = Array.from({ length: POLICIES }, (_, i) => {
    const file = `policies/p${i}.ts`;
    writeFileSync(join(project, file), policyText(i));
    const attach = [{ namespace: `ns-${i}` }];
    // The rest of the namespaces: no bundle has more policies, many have more attachments.
    if (i + POLICIES < ATTACHMENTS) attach.push({ namespace: `ns-${i + POLICIES}` });
    return { file, attach };
  });
  const world = join(project, 'world.yaml');
  const bundle = join(folder, 'agent.weft');
  writeFileSync(join(project, 'weft.json'), JSON.stringify({ name: 'agent', policies }));
  writeFileSync(world, worldText());
  const verb = [join(PROGRAMS, 'cli.mjs'), 'build', project, '--out', bundle];
  const { status, stderr } = spawnSync(process.execPath, verb, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`weft build: ${stderr}`);
  return { bundle, world };
}

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

/** Starts the agent, measures it when nothing goes on, and ends it. */
async function measure(
  room: ChildProcess,
  args: readonly string[],
  { socket, idleMs }: { readonly socket: string; readonly idleMs: number },
): Promise<Measured> {
  const command = [process.execPath, join(PROGRAMS, 'agent.mjs'), ...args, '--socket', socket];
  const within = ['--mount', '--target', String(room.pid), ...command];
  const began = performance.now();
  const agent = spawn('nsenter', within, { stdio: ['ignore', 'ignore', 'pipe'] });
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

/** Measures an agent that loads its bundle, then one that starts on what that left. */
export async function benchAgent(
  _kernel: Kernel,
  folder: string,
  { quick }: { readonly quick: boolean },
): Promise<BenchResult[]> {
  const { bundle, world } = makeBundle(folder);
  const room = openRoom();
  try {
    await new Promise((resolve) => room.stdout?.once('data', resolve));
    const serving = ['--world', world, '--quiet'];
    const how = { socket: join(folder, 'agent.sock'), idleMs: quick ? QUICK_IDLE_MS : IDLE_MS };
    const loaded = await measure(room, ['--bundle', bundle, ...serving], how);
    const again = await measure(room, serving, how);
    return [...resultsOf('loaded', loaded), ...resultsOf('restarted', again)];
  } finally {
    room.kill();
  }
}
