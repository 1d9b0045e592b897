/**
 * Cleans up after the benchmark whatever becomes of it. A shell in a session of its own waits for the end
 * of a pipe that only this process holds open; then it kills what is left in the benchmark's cgroups,
 * removes cgroups, namespaces, pins and the folder, and puts sysctls back. Ctrl-C and SIGKILL close the pipe too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface Guarded {
  readonly cgroup: string; // removed with all below it
  readonly netns: readonly string[];
  readonly folders: readonly string[]; // below bpffs too: links go with their pins
  readonly sysctls: readonly string[]; // restored to what they are now
}

export interface Guardian {
  /** Cleans up now, and waits for it; what could not be removed is told on stderr. */
  readonly release: () => Promise<void>;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function script({ cgroup, netns, folders, sysctls }: Guarded): string {
  const restore = sysctls.map(
    (path) => `echo ${quote(readFileSync(path, 'utf8').trim())} > ${quote(path)}`,
  );
  return [
    'cat > /dev/null',
    `for kill in $(find ${quote(cgroup)} -name cgroup.kill 2> /dev/null); do echo 1 > $kill; done`,
    ...folders.map((path) => `rm -rf ${quote(path)}`),
    ...restore,
    ...netns.map((name) => `ip netns del ${quote(name)} 2> /dev/null`),
    // A killed process leaves its cgroup a moment later.
    'for try in $(seq 100); do',
    `  find ${quote(cgroup)} -depth -type d -exec rmdir {} + 2> /dev/null`,
    `  [ -d ${quote(cgroup)} ] || exit 0; sleep 0.1`,
    'done',
    `echo "http: ${cgroup} could not be removed" >&2; exit 1`,
  ].join('\n');
}

/** Starts the guardian; call before anything that it guards is made. */
export function startGuardian(guarded: Guarded): Guardian {
  const shell: ChildProcess = spawn('sh', ['-c', script(guarded)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(shell, 'exit');
  return {
    release: async () => {
      shell.stdin?.end();
      await ended;
    },
  };
}
