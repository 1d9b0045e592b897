/** Starts a program in its namespace, cgroup and on its CPUs, at the priority of the measurement. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { NETNS, type Side } from './network.js';

/** SCHED_FIFO: other work of the machine waits while a measured program can run. */
export const PRIORITY = 40;

export interface Place {
  readonly side: Side | null; // null: the namespace of the host
  readonly cgroup: string;
  readonly cpus: string; // as taskset takes them
}

/**
 * The words that put a command in its place: cgroup first, since a namespace hides its files. `first` runs
 * there too, before priority and CPUs are set, and executes what follows it.
 */
export function placed(
  place: Place,
  command: readonly string[],
  first: readonly string[] = [],
): [string, string[]] {
  const join = 'echo 0 > "$0/cgroup.procs" && exec "$@"';
  const enter = place.side === null ? [] : ['nsenter', `--net=/run/netns/${NETNS[place.side]}`];
  const run = ['chrt', '-f', String(PRIORITY), 'taskset', '-c', place.cpus];
  return ['sh', ['-c', join, place.cgroup, ...enter, ...first, ...run, ...command]];
}

export interface Launched {
  readonly name: string;
  /** What it printed, for a failure's message. */
  readonly output: () => string;
  /** Throws where the program has ended. */
  readonly mustLive: () => void;
}

/** Starts a server that lives until the guardian ends it. */
export function launch(
  name: string,
  log: string,
  place: Place,
  command: readonly string[],
): Launched {
  const file = openSync(log, 'w');
  const [shell, args] = placed(place, command);
  const child: ChildProcess = spawn(shell, args, { stdio: ['ignore', file, file] });
  closeSync(file);
  child.unref();
  const output = (): string => readFileSync(log, 'utf8').slice(-2000);
  return {
    name,
    output,
    mustLive: () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended: ${output()}`);
    },
  };
}
