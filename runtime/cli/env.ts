/**
 * The world as a value: everything that a verb may touch beyond the file system, so that the whole
 * program runs in process under test. Only main.ts makes one from `process`.
 */
import { resolve } from 'node:path';
import type { Channel } from '../agent/agent-env.js';
import type { Usage } from '../agent/metrics.js';
import type { Paths } from '../agent/paths.js';
import type { Kernel } from '../kernel/types.js';
import type { Admin, AdminPlace } from '../rollout/index.js';

export interface Output {
  write(chunk: string | Uint8Array): void;
  readonly isTTY: boolean;
}

export interface Env {
  readonly stdout: Output;
  readonly stderr: Output;
  /** What is piped in, once. */
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  now(): Date;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Of those verbs that serve: aborted when the process is told to end, too (SIGTERM). */
  readonly untilTold: () => AbortSignal;
  readonly pid: number;
  /** The command line of this process. */
  readonly command: readonly string[];
  /** To the process that started this one; null where that keeps none. */
  readonly channel: () => Channel | null;
  /** Calls back at SIGHUP. */
  onHangUp(handler: () => void): void;
  /** Sends a signal to a process; throws where there is none. */
  kill(pid: number, signal: 'SIGTERM' | 'SIGHUP'): void;
  /** What this process has used. */
  usage(): Usage;
  /** The kernel door; rejects with a typed error where this machine has none. Probing needs no privileges. */
  openKernel(options?: { readonly unprivileged?: boolean }): Promise<Kernel>;
  /** Where this node keeps its pins and its state; rejects where no bpffs or cgroup2 is mounted. */
  nodePaths(): Promise<Paths>;
  /** A control plane, as an operator asks it. */
  openAdmin(place: AdminPlace): Promise<Admin>;
  /** CLOCK_REALTIME - CLOCK_MONOTONIC, ns. */
  clockOffset(): bigint;
  /** Tells one build of this program from another, so that kept outputs are not stale. */
  readonly program: string;
}

/** What stands for standard input where a file of traffic is named. */
export const STDIN = '-';

/** A path as the user wrote it, against the working directory. */
export function pathIn(env: Env, path: string): string {
  return resolve(env.cwd, path);
}

/** Colours only on a terminal and only where NO_COLOR (no-color.org) is unset or empty. */
export function hasColor(env: Env, output: Output): boolean {
  return output.isTTY && !env.env['NO_COLOR'] && env.env['TERM'] !== 'dumb';
}
