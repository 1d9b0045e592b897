/** One slice of load: wrk with one thread, ended by SIGINT, on which it reports what it has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { benchFile } from '../clang.js';
import { type Place, PRIORITY, placed } from './launch.js';

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number; // wrk looks at its end every 0.1 s
}

export interface Slice {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number; // microseconds
  readonly p99: number;
  readonly cpuSeconds: number; // of wrk
}

interface Report {
  readonly requests: number;
  readonly microseconds: number;
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly errors: number;
  readonly status: number;
}

/**
 * An alarm beside wrk, above it, so that it fires while wrk has its CPU. It is wrk's child and nobody's parent:
 * a process of real-time priority that reaps another one on its CPU can spin in the kernel for ever, since
 * what it waits for does not get to run.
 */
const ALARM = `perl -e 'select(undef, undef, undef, $ARGV[0]); kill "INT", $ARGV[1]' "$0" $$ > /dev/null 2>&1 &
exec "$@"`;

/** On a machine that others use too, the alarm can come before wrk has its handler or sent anything. */
const TRIES = 3;

/** Runs it, again where it had no time; throws where a connection failed or a reply was none of 2xx and 3xx. */
export async function runWrk(
  wrk: string,
  place: Place,
  load: Load,
  tries: number = TRIES,
): Promise<Slice> {
  const options = ['-t1', `-c${load.connections}`, '-d60s', '-s', benchFile('http/report.lua')];
  const headers = Object.entries(load.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ]);
  const alarm = ['chrt', '-f', String(PRIORITY + 1), 'bash', '-c', ALARM, String(load.seconds)];
  const [shell, args] = placed(place, [wrk, ...options, ...headers, load.url], alarm);
  const child = spawn(shell, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const line = out.split('\n').find((found) => found.startsWith('{'));
  const report = line === undefined ? null : (JSON.parse(line) as Report);
  if (report === null || report.requests + report.errors === 0) {
    if (tries > 1) return await runWrk(wrk, place, load, tries - 1);
    throw new Error(`wrk ${load.url} did nothing: ${out}${err}`);
  }
  if (report.errors + report.status > 0)
    throw new Error(`wrk ${load.url}, ${load.connections} connections: ${line}`);
  return {
    requests: report.requests,
    seconds: report.microseconds / 1e6,
    p50: report.p50,
    p99: report.p99,
    cpuSeconds: report.cpu,
  };
}
