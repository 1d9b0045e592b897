/** Servers that people run, on a host of the suite: each answers `NAME METHOD PATH`. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from './topology.js';

export type ServerKind = 'nginx' | 'haproxy' | 'node' | 'python';

const POLL_MS = 10;
/** Seconds after which a client is given up. */
const LIMIT_S = 30;

export const REAL: string = fileURLToPath(new URL('../../../../test/http/real/', import.meta.url));

const nginx = (name: string, port: number, { v4, v6 }: Host, folder: string): string => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  access_log off; server_tokens off; default_type text/plain; client_max_body_size 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen ${v4}:${port}; listen [${v6}]:${port};
    location / { return 200 "${name} $request_method $request_uri"; }
  }
}`;

const haproxy = (name: string, port: number, { v4, v6 }: Host): string => `
global
  maxconn 512
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
  option http-buffer-request
frontend all
  bind ${v4}:${port}
  bind ${v6}:${port}
  http-request return status 200 content-type text/plain lf-string "${name} %[method] %[pathq]"
`;

/** The command of a server; `folder` is its own. */
function commandOf(kind: ServerKind, host: Host, port: number, folder: string): readonly string[] {
  const config = join(folder, 'config');
  const hosts = [host.v4, host.v6];
  switch (kind) {
    case 'nginx':
      writeFileSync(config, nginx(host.name, port, host, folder));
      return ['nginx', '-p', folder, '-c', config, '-e', join(folder, 'error.log')];
    case 'haproxy':
      writeFileSync(config, haproxy(host.name, port, host));
      return ['haproxy', '-q', '-db', '-f', config];
    case 'node':
      return [process.execPath, join(REAL, 'serve.mjs'), host.name, String(port), ...hosts];
    case 'python':
      return ['python3', join(REAL, 'serve.py'), host.name, String(port), ...hosts];
  }
}

const LISTEN = '0A';

/** Whether a process's namespace has listeners of a port in both families. */
function isListening(pid: number, port: number): boolean {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].every((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .some((line) => {
        const [, local, , state] = line.trim().split(/\s+/);
        return state === LISTEN && local?.endsWith(hex);
      }),
  );
}

export class RealServer {
  readonly #child: ChildProcess;
  readonly #folder: string;

  constructor(kind: ServerKind, host: Host, cgroup: string | null, port: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'weft-http-server-'));
    const command = commandOf(kind, host, port, this.#folder);
    this.#child = spawnIn(host.namespace, cgroup, command, ['ignore', 'ignore', 'inherit']);
  }

  /** Until it listens; throws where it ended instead. */
  async ready(port: number): Promise<void> {
    while (this.#child.exitCode === null) {
      if (isListening(this.#child.pid ?? 0, port)) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`a server ended with ${this.#child.exitCode}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A process on a host: in its cgroup first, since in a namespace cgroup2 is not to be seen. */
export function spawnIn(
  namespace: string,
  cgroup: string | null,
  command: readonly string[],
  stdio: StdioOptions,
): ChildProcess {
  const words = ['ip', 'netns', 'exec', namespace, ...command];
  if (cgroup === null) return spawn('ip', words.slice(1), { stdio });
  const join = 'echo $$ > "$0"; exec "$@"';
  return spawn('sh', ['-c', join, `${cgroup}/cgroup.procs`, ...words], { stdio });
}

/** Runs a process on a host to its end, with a time to give up; what it printed. */
export async function runIn(
  host: Host,
  cgroup: string | null,
  command: readonly string[],
  input: string,
): Promise<string> {
  const words = ['timeout', String(LIMIT_S), ...command];
  const child = spawnIn(host.namespace, cgroup, words, ['pipe', 'pipe', 'pipe']);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  // A client that ends early does not read it.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${Buffer.concat(err)}`);
  return Buffer.concat(out).toString();
}
