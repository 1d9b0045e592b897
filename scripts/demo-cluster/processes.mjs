// Processes of the cluster demo: each belongs to a namespace of its own, says when it is ready, and is
// gone at the end whatever happens.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { PREFIX } from '../demo/topology.mjs';

const TRIES = 300;
/** Each look is a command: they should not be what keeps the machine busy. */
const PAUSE_MS = 400;

/** Tries until `work` answers with something; rejects with what it said last. */
export async function until(what, work) {
  let last = null;
  for (let i = 0; i < TRIES; i += 1) {
    try {
      const found = await work();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await wait(PAUSE_MS);
  }
  throw new Error(`${what} did not come about${last === null ? '' : `: ${last.message}`}`);
}

export class Processes {
  #running = new Map();
  #folder;
  constructor(folder) {
    this.#folder = folder;
  }

  /** Where a process writes what it says of itself. */
  log(name) {
    return join(this.#folder, `${name}.log`);
  }
  logText(name) {
    return readFileSync(this.log(name), 'utf8');
  }

  /** Starts a command in a namespace; what is not asked for goes to its log. */
  start(
    name,
    host,
    words,
    { stdio = ['ignore', 'log', 'log'], cgroup = null, mounts = null } = {},
  ) {
    const log = openSync(this.log(name), 'a');
    const inside = ['nsenter', `--net=/run/netns/${PREFIX}${host}`];
    if (mounts !== null) inside.push(`--mount=/proc/${mounts}/ns/mnt`);
    const whole = [...inside, ...words];
    const [command, ...args] =
      cgroup === null
        ? whole
        : ['sh', '-c', 'echo $$ > "$0"; exec "$@"', `${cgroup}/cgroup.procs`, ...whole];
    const child = spawn(command, args, { stdio: stdio.map((to) => (to === 'log' ? log : to)) });
    closeSync(log);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.#running.set(name, { child, ended });
    return child;
  }

  /** As a crash does. */
  async kill(name) {
    const { child, ended } = this.#running.get(name);
    child.kill('SIGKILL');
    await ended;
    this.#running.delete(name);
  }

  killAll() {
    for (const { child } of this.#running.values()) child.kill('SIGKILL');
    this.#running.clear();
  }
}

/** Runs a command in a namespace to its end; throws with what it said where it fails. */
export function runIn(host, words, { env = {}, mounts = null, allowed = [0] } = {}) {
  const inside = [`--net=/run/netns/${PREFIX}${host}`];
  if (mounts !== null) inside.push(`--mount=/proc/${mounts}/ns/mnt`);
  const done = spawnSync('nsenter', [...inside, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  if (!allowed.includes(done.status))
    throw new Error(
      `\`${words.slice(2).join(' ')}\` exited ${done.status}: ${done.stderr}${done.stdout}`,
    );
  return done.stdout;
}

/** The first line of a child as JSON, and a way to the later ones. */
export function linesOf(child) {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('it ended without a word');
    return JSON.parse(value);
  };
}
