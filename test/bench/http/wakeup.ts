/**
 * http/wakeup: what one exchange costs at least between two CPUs, and how little of it is TCP. With one
 * connection client and server wake each other by turns; a way past TCP can only save what unix sockets save.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { benchFile, compileProgram } from '../clang.js';
import { type BenchResult, judgePairs } from '../pairs.js';
import { NETNS, SERVERS, type Side } from './network.js';

export const WAKEUP = 'http/wakeup';
const EXCHANGES = 10_000;

const netns = (side: Side): string => `/run/netns/${NETNS[side]}`;

/** In the group's namespaces, which exist. */
export function measureWakeup(folder: string, rounds: number): BenchResult {
  const program = join(folder, 'ping-pong');
  compileProgram(benchFile('http/ping-pong.c'), program);
  const words = [netns('server'), netns('client'), SERVERS.v1, String(EXCHANGES)];
  const rows = Array.from({ length: rounds }, () =>
    execFileSync(program, words, { encoding: 'utf8' }).split(' ').map(Number),
  );
  const column = (at: number): number[] => rows.map((row) => row[at] ?? Number.NaN);
  const figure = { bench: WAKEUP, metric: 'round_trip_us', unit: 'us', limit: null };
  return judgePairs({ ...figure, peer: 'none' }, column(1), column(0));
}
