/**
 * Many requests over many keep-alive connections, a third of them routed away, with everything that
 * goes wrong in a network; then nothing may be left: no lease, door, socket or map entry.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CANARY4, ExchangeNet, POLICY, PORT, STEADY4 } from '../kernel/fixtures/exchange.js';
import { VIP4 } from '../kernel/fixtures/http.js';
import { SERVER4 } from '../kernel/fixtures/net.js';
import type { Changes } from './change-worlds.js';

export interface SoakCounts {
  readonly replies: number;
  readonly elsewhere: number;
  /** Replies of 100 MB. */
  readonly long: number;
  readonly refused: number;
  readonly resets: number;
  readonly resetsElsewhere: number;
  readonly left: number;
  readonly wrong: number;
  readonly hung: number;
  readonly faults: readonly string[];
}

export interface SoakLeft {
  readonly clients: number;
  readonly leases: number;
  readonly doors: number;
  readonly busy: number;
  /** Pooled connections to an endpoint that the last world does not have. */
  readonly strangers: number;
  readonly sessions: number;
  /** Open connections in the clients' namespace, and entries of maps, that no pool has. */
  readonly sockets: number;
  readonly entries: number;
  /** Pages of memory that TCP accounts, more than before. */
  readonly tcpPages: number;
  readonly agentFaults: readonly string[];
}

/** Memory of the kernel, more than before the soak. */
export interface SoakMemory {
  readonly tcpPages: number;
  readonly slabKb: number;
}

export interface SoakOptions {
  readonly requests: number;
  readonly connections: number;
  /** Between two changes of the world. */
  readonly worldMs: number;
  readonly onProgress: (line: string) => void;
  /** Ends the soak early: what was asked is counted as ever. */
  readonly signal?: AbortSignal;
}

/** Nothing is left of any exchange. */
export function isClean(left: SoakLeft): boolean {
  const { tcpPages: _, agentFaults, ...counts } = left;
  return Object.values(counts).every((count) => count === 0) && agentFaults.length === 0;
}

const PAGE_BYTES = 4096;
/** What each connection may cost: what an application leaves unread, and as much unsent (tcp_wmem). */
const CONNECTION_BYTES = 4 * 1024 * 1024;

/** Is the kernel's memory within what the connections explain? */
export function isBounded(peak: SoakMemory, connections: number): boolean {
  return peak.tcpPages * PAGE_BYTES < connections * CONNECTION_BYTES;
}

const SAMPLE_MS = 1000;
const MEMORY_EVERY = 10;
const SETTLE_MS = 20_000;
const STEP_MS = 100;
const program = (name: string): string =>
  fileURLToPath(new URL(`../../../scripts/soak/${name}.mjs`, import.meta.url));

function readMemory(): SoakMemory {
  const number = (file: string, pattern: RegExp): number =>
    Number(pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  return {
    tcpPages: number('/proc/net/sockstat', /^TCP: .* mem (\d+)$/m),
    slabKb: number('/proc/meminfo', /^SUnreclaim: +(\d+) kB$/m),
  };
}

function moreThan(before: SoakMemory): SoakMemory {
  const now = readMemory();
  return {
    tcpPages: Math.max(0, now.tcpPages - before.tcpPages),
    slabKb: Math.max(0, now.slabKb - before.slabKb),
  };
}

/** Connections of a namespace in which bytes can still come or go; see net/tcp_states.h. */
const OPEN_STATES: ReadonlySet<string> = new Set(['01', '02', '08']);
function openSockets(namespace: string): number {
  const command = ['netns', 'exec', namespace, 'cat', '/proc/net/tcp', '/proc/net/tcp6'];
  const { stdout } = spawnSync('ip', command, { encoding: 'utf8' });
  const states = stdout.split('\n').map((line) => line.trim().split(/ +/)[3] ?? '');
  return states.filter((state) => OPEN_STATES.has(state)).length;
}

function start(namespace: string, cgroup: string | null, words: readonly string[]): ChildProcess {
  // The cgroup first: inside a namespace cgroup2 is not to be seen.
  const join = cgroup === null ? '' : `echo $$ > ${cgroup}/cgroup.procs; `;
  const command = `${join}exec ip netns exec ${namespace} ${process.execPath} "$@"`;
  return spawn('sh', ['-c', command, 'sh', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function textOf(child: ChildProcess, onError: (line: string) => void): Promise<string> {
  let text = '';
  child.stderr?.on('data', (data) => onError(String(data).trimEnd()));
  return new Promise((resolve) => {
    child.stdout?.on('data', (data) => {
      text += String(data);
    });
    child.once('close', () => resolve(text));
  });
}

/** Lets one endpoint of v2 leave and come, then the other; resolves with how often, once told to stop. */
function changeWorlds(net: ExchangeNet, { worldMs, onProgress }: SoakOptions): Changer {
  const changes: Changes = {
    paths: net.http.paths,
    policy: POLICY,
    worlds: [{ canary: false }, {}, { steady: false }, {}].map((one) => net.world(one)),
    everyMs: worldMs,
  };
  const entry = fileURLToPath(new URL('./change-worlds.js', import.meta.url));
  const words = ['--enable-source-maps', entry, JSON.stringify(changes)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = textOf(child, (line) => onProgress(`worlds: ${line}`));
  return {
    child,
    begun: new Promise((resolve) => child.stdout?.once('data', () => resolve())),
    stop: async () => {
      child.kill('SIGTERM');
      return (await lines).split('\n').length - 1;
    },
  };
}

interface Changer {
  readonly child: ChildProcess;
  /** Resolves with the first change. */
  readonly begun: Promise<void>;
  /** Resolves with the number of changes. */
  stop(): Promise<number>;
}

/** Runs it; everything that it made is removed. */
export async function runSoak(options: SoakOptions): Promise<{
  readonly counts: SoakCounts;
  readonly left: SoakLeft;
  readonly peak: SoakMemory;
  /** Changes of the world. */
  readonly worlds: number;
}> {
  const net = await ExchangeNet.open('soak', { server: false, steady: true });
  const children: ChildProcess[] = [];
  let sampling: NodeJS.Timeout | undefined;
  try {
    const before = readMemory();
    let peak: SoakMemory = { tcpPages: 0, slabKb: 0 };
    let lines = 0;
    sampling = setInterval(() => {
      const { tcpPages, slabKb } = moreThan(before);
      peak = {
        tcpPages: Math.max(peak.tcpPages, tcpPages),
        slabKb: Math.max(peak.slabKb, slabKb),
      };
      lines += 1;
      if (lines % MEMORY_EVERY !== 0) return;
      options.onProgress(
        `TCP ${tcpPages} pages (${peak.tcpPages}), slab ${slabKb} kB (${peak.slabKb})`,
      );
    }, SAMPLE_MS);
    const server = start(net.http.net.right, null, [
      ...[program('server'), String(PORT), SERVER4, STEADY4, CANARY4],
    ]);
    children.push(server);
    server.stderr?.on('data', (data) => options.onProgress(`server: ${String(data).trimEnd()}`));
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    const changer = changeWorlds(net, options);
    children.push(changer.child);
    await changer.begun;
    const client = start(net.http.net.left, net.http.cgroupDirectory, [
      ...[program('client'), VIP4, '80', String(options.requests), String(options.connections)],
    ]);
    children.push(client);
    options.signal?.addEventListener('abort', () => client.kill('SIGTERM'));
    if (options.signal?.aborted) client.kill('SIGTERM');
    const last = (await textOf(client, options.onProgress)).trim().split('\n').at(-1);
    const counts = JSON.parse(last ?? '{}') as SoakCounts;
    const worlds = await changer.stop();
    await net.load(POLICY, net.world({ canary: false }));
    return { counts, left: await settle(net, before), peak, worlds };
  } finally {
    clearInterval(sampling);
    for (const child of children) child.kill('SIGKILL');
    await net.close();
  }
}

/** What is left once nothing changes any more, or after a while. */
async function settle(net: ExchangeNet, before: SoakMemory): Promise<SoakLeft> {
  const read = (): SoakLeft => {
    const { exchanges } = net.status();
    const pooled = exchanges.pools.reduce((all, pool) => all + pool.size, 0);
    return {
      clients: net.clientCount(),
      leases: exchanges.leases,
      doors: exchanges.doors,
      busy: exchanges.pools.reduce((all, pool) => all + pool.size - pool.idle, 0),
      strangers: exchanges.pools
        .filter(({ endpoint }) => endpoint.startsWith(CANARY4))
        .reduce((all, { size }) => all + size, 0),
      sessions: net.forwarding.sessions + net.forwarding.replies,
      sockets: Math.max(0, openSockets(net.http.net.left) - pooled),
      entries: net.entries('weft_upstream_index') - pooled,
      tcpPages: moreThan(before).tcpPages,
      agentFaults: net.faults.map(String),
    };
  };
  let left = read();
  for (let waited = 0; !isClean(left) && waited < SETTLE_MS; waited += STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    left = read();
  }
  return left;
}
