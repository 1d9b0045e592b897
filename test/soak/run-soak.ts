/**
 * Many requests over many keep-alive connections, a third of them routed away, with everything that
 * goes wrong in a network; then nothing may be left: no lease, door, socket or map entry.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CANARY4, ExchangeNet, PORT } from '../kernel/fixtures/exchange.js';
import { VIP4 } from '../kernel/fixtures/http.js';
import { SERVER4 } from '../kernel/fixtures/net.js';

export interface SoakCounts {
  readonly replies: number;
  readonly elsewhere: number;
  readonly refused: number;
  readonly resets: number;
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
  readonly sessions: number;
  /** Pages of memory that TCP accounts, more than before. */
  readonly tcpPages: number;
  readonly agentFaults: readonly string[];
}

export interface SoakOptions {
  readonly requests: number;
  readonly connections: number;
  readonly onProgress: (line: string) => void;
}

const SETTLE_MS = 20_000;
const STEP_MS = 100;
const program = (name: string): string =>
  fileURLToPath(new URL(`../../../scripts/soak/${name}.mjs`, import.meta.url));

function tcpPages(): number {
  const line = /^TCP: .* mem (\d+)$/m.exec(readFileSync('/proc/net/sockstat', 'utf8'));
  return Number(line?.[1] ?? 0);
}

function start(namespace: string, cgroup: string | null, words: readonly string[]): ChildProcess {
  // The cgroup first: inside a namespace cgroup2 is not to be seen.
  const join = cgroup === null ? '' : `echo $$ > ${cgroup}/cgroup.procs; `;
  const command = `${join}exec ip netns exec ${namespace} ${process.execPath} "$@"`;
  return spawn('sh', ['-c', command, 'sh', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function lines(child: ChildProcess, onError: (line: string) => void): Promise<string> {
  let text = '';
  child.stderr?.on('data', (data) => onError(String(data).trimEnd()));
  return new Promise((resolve) => {
    child.stdout?.on('data', (data) => {
      text += String(data);
    });
    child.once('close', () => resolve(text));
  });
}

/** Runs it; everything that it made is removed. */
export async function runSoak(
  options: SoakOptions,
): Promise<{ readonly counts: SoakCounts; readonly left: SoakLeft }> {
  const net = await ExchangeNet.open('soak', { server: false });
  const children: ChildProcess[] = [];
  try {
    const pages = tcpPages();
    const server = start(net.http.net.right, null, [
      ...[program('server'), String(PORT), SERVER4, CANARY4],
    ]);
    children.push(server);
    server.stderr?.on('data', (data) => options.onProgress(`server: ${String(data).trimEnd()}`));
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    const client = start(net.http.net.left, net.http.cgroupDirectory, [
      ...[program('client'), VIP4, '80', String(options.requests), String(options.connections)],
    ]);
    children.push(client);
    const counts = JSON.parse(
      (await lines(client, options.onProgress)).trim().split('\n').at(-1) ?? '{}',
    ) as SoakCounts;
    return { counts, left: await settle(net, pages) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await net.close();
  }
}

/** What is left once nothing changes any more, or after a while. */
async function settle(net: ExchangeNet, pages: number): Promise<SoakLeft> {
  const read = (): SoakLeft => {
    const { exchanges } = net.status();
    return {
      clients: net.clientCount(),
      leases: exchanges.leases,
      doors: exchanges.doors,
      busy: exchanges.pools.reduce((all, pool) => all + pool.size - pool.idle, 0),
      sessions: net.forwarding.sessions + net.forwarding.replies,
      tcpPages: Math.max(0, tcpPages() - pages),
      agentFaults: net.faults.map(String),
    };
  };
  const isClean = ({ clients, leases, doors, busy, sessions }: SoakLeft): boolean =>
    clients + leases + doors + busy + sessions === 0;
  let left = read();
  for (let waited = 0; !isClean(left) && waited < SETTLE_MS; waited += STEP_MS) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    left = read();
  }
  return left;
}
