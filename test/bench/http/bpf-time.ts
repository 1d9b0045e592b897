/**
 * The kernel's own count of what BPF programs cost (`kernel.bpf_stats_enabled`): nanoseconds of all runs of the
 * programs pinned in a folder. A program that another one tail-calls is counted with its caller. Counting
 * costs some 20 ns a run itself, so it is on only in slices of its own.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const BPF_STATS = '/proc/sys/kernel/bpf_stats_enabled';

export function countBpfTime(on: boolean): void {
  writeFileSync(BPF_STATS, on ? '1' : '0');
}

export interface BpfTime {
  readonly seconds: number;
  readonly runs: number;
}

/** So far, by program name. */
export function bpfTimes(folder: string): ReadonlyMap<string, BpfTime> {
  return new Map(
    readdirSync(folder).map((name) => {
      const shown = execFileSync('bpftool', ['-j', 'prog', 'show', 'pinned', join(folder, name)]);
      const program = JSON.parse(shown.toString()) as { run_time_ns?: number; run_cnt?: number };
      return [
        name,
        { seconds: (program.run_time_ns ?? 0) / 1e9, runs: program.run_cnt ?? 0 },
      ] as const;
    }),
  );
}

export function totalSeconds(times: ReadonlyMap<string, BpfTime>): number {
  return [...times.values()].reduce((sum, { seconds }) => sum + seconds, 0);
}

/** CPU seconds so far of the kernel's work queues, which carry redirected replies into the client's socket. */
export function kernelWorkerSeconds(): number {
  const nanoseconds = readdirSync('/proc').map((pid) => {
    if (!/^\d+$/.test(pid)) return 0;
    try {
      if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('kworker/')) return 0;
      return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      return 0; // it has ended
    }
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}
