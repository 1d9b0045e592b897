/** Debian's etcd-server as a cluster on loopback, for one test file: its data in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const TRIES = 600;
const PAUSE_MS = 50;

export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      return new Promise<number>((resolve) => server.close(() => resolve(port)));
    }),
  );
}

export class EtcdCluster {
  /** Where each member answers clients. */
  readonly urls: readonly string[];
  readonly #folder: string;
  readonly #start: (member: number) => ChildProcess;
  readonly #members: (ChildProcess | null)[] = [];

  private constructor(
    urls: readonly string[],
    folder: string,
    start: (member: number) => ChildProcess,
  ) {
    this.urls = urls;
    this.#folder = folder;
    this.#start = start;
  }

  /** Starts `size` members and waits until they have a leader. */
  static async start(size: number, tls: EtcdTls | null = null): Promise<EtcdCluster> {
    const ports = await freePorts(2 * size);
    const folder = mkdtempSync(join(tmpdir(), 'weft-etcd-'));
    const scheme = tls === null ? 'http' : 'https';
    const client = (i: number): string => `${scheme}://127.0.0.1:${ports[i]}`;
    const peer = (i: number): string => `http://127.0.0.1:${ports[size + i]}`;
    const all = Array.from({ length: size }, (_, i) => `m${i}=${peer(i)}`).join(',');
    const secure =
      tls === null
        ? []
        : [
            ...['--cert-file', tls.cert, '--key-file', tls.key],
            ...['--trusted-ca-file', tls.ca, '--client-cert-auth'],
          ];
    const cluster = new EtcdCluster(
      Array.from({ length: size }, (_, i) => client(i)),
      folder,
      (i) =>
        spawn(
          'etcd',
          [
            ...['--name', `m${i}`, '--data-dir', join(folder, `m${i}`), '--log-level', 'error'],
            ...['--listen-client-urls', client(i), '--advertise-client-urls', client(i)],
            ...['--listen-peer-urls', peer(i), '--initial-advertise-peer-urls', peer(i)],
            ...['--initial-cluster', all, '--initial-cluster-token', folder],
            // A test says when: nothing here waits for a real disk.
            ...['--heartbeat-interval', '100', '--election-timeout', '1000'],
            ...secure,
          ],
          { stdio: 'ignore', env: { PATH: '/usr/bin:/bin', ETCD_UNSUPPORTED_ARCH: 'arm64' } },
        ),
    );
    for (let i = 0; i < size; i += 1) cluster.#members.push(cluster.#start(i));
    return cluster;
  }

  /** As a kill -9 does. */
  async kill(member: number): Promise<void> {
    await end(this.#members[member] ?? null, 'SIGKILL');
    this.#members[member] = null;
  }

  restart(member: number): void {
    this.#members[member] = this.#start(member);
  }

  /** Stops a member without ending it: it keeps its connections and answers nothing. */
  freeze(member: number): void {
    this.#members[member]?.kill('SIGSTOP');
  }
  thaw(member: number): void {
    this.#members[member]?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => end(member, 'SIGKILL')));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function end(member: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (member === null || member.exitCode !== null || member.signalCode !== null) return;
  const ended = new Promise((resolve) => member.once('exit', resolve));
  member.kill(signal);
  await ended;
}

/** Tries until `work` does not throw. */
export async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let i = 1; ; i += 1) {
    try {
      return await work();
    } catch (error) {
      if (i === TRIES) throw error;
      await wait(PAUSE_MS);
    }
  }
}
