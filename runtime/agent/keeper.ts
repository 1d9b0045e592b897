/**
 * What systemd does for a service, where there is no systemd: starts a command, starts it again when it
 * dies, and meanwhile keeps the descriptors that it asked to be kept (sd_notify(3): FDSTORE, FDSTOREREMOVE,
 * MAINPID; sd_listen_fds(3)). Knows nothing of what they are.
 *
 * LISTEN_PID is not given: a process has no number before it exists.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Kernel } from '../kernel/index.js';
import type { Log } from './log.js';
import { type Notice, readNotice } from './read-notice.js';

/** Before the command is started again; so it does not turn in circles. */
export const RESTART_MS = 500;
const LOOK_MS = 200;

export interface KeeperOptions {
  readonly kernel: Pick<Kernel, 'receiveDescriptors'>;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its socket goes: a folder of its own is made in it. */
  readonly run: string;
  readonly log: Log;
  /** Ends the command, and then the keeper. */
  readonly signal: AbortSignal;
  readonly kill: (pid: number, signal: 'SIGTERM' | 'SIGHUP') => void;
  /** Told of every process that becomes the main one. */
  readonly onMain?: (pid: number) => void;
  /** The command says that it is ready (READY=1). */
  readonly onReady?: () => void;
  /** Waits before the command is started again. */
  readonly pause?: () => Promise<void>;
}

class Kept {
  readonly #descriptors = new Map<string, number>();

  take({ keep, remove }: Notice, descriptors: readonly number[]): void {
    if (remove !== null) this.#remove(remove);
    for (const fd of descriptors) {
      if (keep === null) {
        closeSync(fd);
        continue;
      }
      this.#remove(keep);
      this.#descriptors.set(keep, fd);
    }
  }

  #remove(name: string): void {
    const fd = this.#descriptors.get(name);
    this.#descriptors.delete(name);
    if (fd !== undefined) closeSync(fd);
  }

  get names(): readonly string[] {
    return [...this.#descriptors.keys()];
  }

  get descriptors(): readonly number[] {
    return [...this.#descriptors.values()];
  }

  close(): void {
    for (const name of this.names) this.#remove(name);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Keeper {
  readonly #options: KeeperOptions;
  readonly #socket: string;
  readonly #kept: Kept;
  /** The process that the command became. */
  #main = 0;

  constructor(options: KeeperOptions, socket: string, kept: Kept) {
    this.#options = options;
    this.#socket = socket;
    this.#kept = kept;
  }

  become(pid: number): void {
    this.#main = pid;
    this.#options.onMain?.(pid);
    this.#options.log('info', `the main process is ${pid}`, { pid });
  }

  stop(): void {
    if (this.#main !== 0) this.tell('SIGTERM');
  }

  tell(signal: 'SIGTERM' | 'SIGHUP'): void {
    try {
      this.#options.kill(this.#main, signal);
    } catch {
      // It has just ended.
    }
  }

  /** Runs the command once; its exit code, null where a signal ended it. */
  async #once(): Promise<number | null> {
    const { command, env, signal } = this.#options;
    const [program = '', ...args] = command;
    const names = this.#kept.names;
    const child = spawn(program, args, {
      stdio: ['inherit', 'inherit', 'inherit', ...this.#kept.descriptors],
      env: {
        ...env,
        NOTIFY_SOCKET: this.#socket,
        LISTEN_FDS: String(names.length),
        LISTEN_FDNAMES: names.join(':'),
      },
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('exit', resolve);
      child.once('error', reject);
    });
    const { pid } = child;
    if (pid !== undefined) this.become(pid);
    const code = await ended;
    if (this.#main === pid) return code;
    // It made another process its heir, which is not our child.
    while (existsSync(`/proc/${this.#main}`)) await wait(LOOK_MS);
    return signal.aborted ? 0 : null;
  }

  async run(): Promise<number> {
    const { signal, log, pause = () => wait(RESTART_MS) } = this.#options;
    for (;;) {
      const code = await this.#once();
      if (code === 0 || signal.aborted) return code ?? 0;
      const count = this.#kept.names.length;
      log('warn', `the command ended with ${code ?? 'a signal'}; it is started again`, {
        kept: count,
      });
      await pause();
      if (signal.aborted) return 0;
    }
  }
}

/** Runs until the command ends by itself without a fault, or until the signal; answers with its exit code. */
export async function runKeeper(options: KeeperOptions): Promise<number> {
  mkdirSync(options.run, { recursive: true, mode: 0o755 });
  // Only this user reaches the socket: mkdtemp(3) makes folders of mode 0700.
  const folder = mkdtempSync(join(options.run, 'keeper-'));
  const socket = join(folder, 'notify');
  const kept = new Kept();
  const keeper = new Keeper(options, socket, kept);
  const receiver = options.kernel.receiveDescriptors(socket);
  const receiving = (async () => {
    for (let next = await receiver.next(); next !== null; next = await receiver.next()) {
      const notice = readNotice(next.text);
      kept.take(notice, next.descriptors);
      if (notice.main !== null) keeper.become(notice.main);
      if (notice.isReady) options.onReady?.();
    }
  })();
  const stop = (): void => keeper.stop();
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    return await keeper.run();
  } finally {
    options.signal.removeEventListener('abort', stop);
    receiver.close();
    await receiving;
    kept.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
