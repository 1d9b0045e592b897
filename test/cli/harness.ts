/** Runs the command line in process and keeps what it printed: the transcript of one command. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Paths } from '../../runtime/agent/paths.js';
import type { Env } from '../../runtime/cli/env.js';
import { runCli } from '../../runtime/cli/run-cli.js';
import type { Kernel } from '../../runtime/kernel/types.js';
import type { Admin, AdminPlace } from '../../runtime/rollout/index.js';

export interface Transcript {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Uint8Array;
}

export interface World {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly isTTY?: boolean;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly openKernel?: () => Promise<Kernel>;
  readonly paths?: Paths;
  readonly program?: string;
  readonly openAdmin?: (place: AdminPlace) => Promise<Admin>;
}

const PROGRAM = `test ${process.pid} ${Date.now()}`;

/** A world in memory: what is printed is kept, and there is no kernel or node but those given. */
export function testEnv(world: World = {}, out: Buffer[] = [], err: Buffer[] = []): Env {
  const isTTY = world.isTTY === true;
  const sink = (chunks: Buffer[]): Env['stdout'] => ({
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
    },
    isTTY,
  });
  return {
    stdout: sink(out),
    stderr: sink(err),
    stdin: async function* () {
      yield Buffer.from(world.stdin ?? '');
    },
    cwd: world.cwd ?? tmpdir(),
    env: world.env ?? {},
    platform: world.platform ?? 'linux',
    now: () => new Date('2026-01-02T03:04:05.000Z'),
    signal: world.signal ?? new AbortController().signal,
    untilTold: () => world.signal ?? new AbortController().signal,
    pid: process.pid,
    command: [],
    channel: () => null,
    onHangUp: () => {},
    kill: () => {
      throw new Error('this test kills nobody');
    },
    usage: () => ({ cpuSeconds: 0, residentBytes: 0 }),
    openKernel: world.openKernel ?? (() => Promise.reject(new Error('this test has no kernel'))),
    nodePaths: () =>
      world.paths === undefined
        ? Promise.reject(new Error('this test has no node'))
        : Promise.resolve(world.paths),
    openAdmin:
      world.openAdmin ?? (() => Promise.reject(new Error('this test has no control plane'))),
    clockOffset: () => 0n,
    // Another each time: what an earlier run kept in a folder is no answer of this program.
    program: world.program ?? PROGRAM,
  };
}

/** One command line, as a shell would run it. */
export async function weft(args: readonly string[], world: World = {}): Promise<Transcript> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const exit = await runCli(args, testEnv(world, out, err));
  const bytes = Buffer.concat(out);
  return { exit, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes };
}

/** A folder of its own for one test, removed afterwards. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-cli-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
