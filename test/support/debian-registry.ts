/** Debian's docker-registry, for one test: on loopback, its storage in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const TRIES = 400;
const PAUSE_MS = 50;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

export class DebianRegistry {
  readonly host: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(host: string, folder: string, process: ChildProcess) {
    this.host = host;
    this.#folder = folder;
    this.#process = process;
  }

  /** Starts it and waits until it answers. */
  static async start(): Promise<DebianRegistry> {
    const host = `127.0.0.1:${await freePort()}`;
    const folder = mkdtempSync(join(tmpdir(), 'weft-debian-registry-'));
    const config = join(folder, 'config.yml');
    writeFileSync(
      config,
      `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${folder}/storage } }
http: { addr: '${host}' }
`,
    );
    const started = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    const registry = new DebianRegistry(host, folder, started);
    for (let i = 0; i < TRIES; i += 1) {
      try {
        if ((await fetch(`http://${host}/v2/`)).ok) return registry;
      } catch {
        await wait(PAUSE_MS);
      }
    }
    await registry.stop();
    throw new Error('docker-registry does not answer');
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode === null && this.#process.kill()) await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
