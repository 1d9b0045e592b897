/** A process of the suite that is told what to do: peer.py in a namespace and a cgroup. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PEER = fileURLToPath(new URL('../../../../test/http/stage/peer.py', import.meta.url));

/** What became of one command. */
export interface Result {
  readonly ok: boolean;
  /** How the connection ended, or the error that stopped the command. */
  readonly end?: string | null;
  readonly got?: string;
  readonly at?: number;
  readonly length?: number;
  readonly address?: string;
  readonly port?: number;
  readonly peer?: readonly [string, number];
  readonly native?: boolean;
  readonly hash?: string;
  readonly count?: number;
}

export type Order = Readonly<Record<string, unknown>> & { readonly op: string };

export class Actor {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  /** Joins the cgroup before the first socket is made. */
  constructor(name: string, namespace: string, cgroup: string | null) {
    this.#name = name;
    this.#child = spawn('ip', ['netns', 'exec', namespace, 'python3', PEER], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const output = this.#child.stdout;
    if (!output) throw new Error('the peer has no output');
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
    if (cgroup !== null) writeFileSync(`${cgroup}/cgroup.procs`, String(this.#child.pid));
  }

  /** Commands in order, up to the first that does not go as it should: a result for each. */
  async ask(orders: readonly Order[], deadline: number): Promise<readonly Result[]> {
    this.#child.stdin?.write(`${JSON.stringify({ do: orders, deadline })}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.#name} died at ${JSON.stringify(orders)}`);
    return (JSON.parse(line.value) as { results: Result[] }).results;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
