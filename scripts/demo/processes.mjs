// The demo's processes: one per host, and the reader of live events. Each ends with the demo.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onHost } from './topology.mjs';

const HOST = fileURLToPath(new URL('host.mjs', import.meta.url));

/** A host's process: `ask` makes it connect and says how that went. */
export function startHost(host) {
  const [command, args] = onHost(host, process.execPath, [HOST, host.label, ...host.listen]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`host ${host.name} ended`);
    return JSON.parse(value);
  };
  return {
    ready: next(),
    async ask(flow) {
      child.stdin.write(`${JSON.stringify(flow)}\n`);
      return next();
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/** `weft events --follow`: live verdicts as they come; `find` waits for one that fits. */
export function startEvents(cli) {
  const child = spawn(process.execPath, [cli, 'events', '--follow', '-o', 'ndjson'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen = [];
  const waiting = new Set();
  let lost = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    lost += event.lost;
    seen.push(event);
    for (const check of waiting) check();
  });
  return {
    seen,
    lost: () => lost,
    mark: () => seen.length,
    /** Every event since `mark` that fits, once `enough` says so; rejects after `limit` ms. */
    find(mark, fits, enough, limit = 3000) {
      return new Promise((resolve, reject) => {
        const settle = () => {
          const found = seen.slice(mark).filter(fits);
          if (!enough(found)) return;
          waiting.delete(settle);
          clearTimeout(timer);
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(settle);
          reject(new Error(`no event within ${limit} ms`));
        }, limit);
        waiting.add(settle);
        settle();
      });
    },
    stop: () => child.kill('SIGINT'),
  };
}
