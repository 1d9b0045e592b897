/**
 * Simulated agents: the real link of an agent, each with a certificate and a connection of its own, and
 * a node that takes any bundle at once. A process of its own, so that its share of the machine can be told
 * from the control plane's. Entry: `node control-agents.js FOLDER PORT FIRST COUNT`; prints lines of JSON.
 */
import { join } from 'node:path';
import { REAL_CLOCK } from '../../runtime/control/wire/index.js';
import { type Link, openLink, type Running } from '../../runtime/link/index.js';
import { readKeyPair, type WatchedKeys } from '../../runtime/spiffe/index.js';

const [folder = '', port = '', first = '0', count = '0'] = process.argv.slice(2);

function say(message: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function keysOf(name: string): WatchedKeys {
  const own = join(folder, `node-${name}`);
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => join(own, file));
  const current = readKeyPair({ ca: ca ?? '', cert: cert ?? '', key: key ?? '' });
  return { current, onChange: () => () => {}, close: () => {} };
}

function agent(name: string): Link {
  let running: Running | null = null;
  let generation = 0;
  return openLink({
    control: [`127.0.0.1:${port}`],
    ...{ keys: keysOf(name), labels: {}, version: 'bench', heldFile: null, clock: REAL_CLOCK },
    log: (level, text) => {
      if (level !== 'info') say({ what: 'log', text });
    },
    hooks: {
      async apply({ name: bundle, digest, mode }) {
        running = { name: bundle, digest, mode };
        generation += 1;
        return { ok: true, generation };
      },
      withdraw: async () => {},
      running: () => (running === null ? [] : [running]),
      report: async () => ({
        ...{ agent: 'bench', kernel: '6.18', rules: [], shadow: null, drift: null },
        active: running === null ? null : { ...running, generation },
        counters: { allowed: 0, denied: 0, lost: 0 },
      }),
      events: () => {},
    },
  });
}

/** So many connections are made at a time: handshakes are what this process is busy with at first. */
const LANES = 16;
const links: Link[] = [];
const names = Array.from({ length: Number(count) }, (_, i) => `a${Number(first) + i}`);
const lanes = Array.from({ length: LANES }, async () => {
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const link = agent(name);
    links.push(link);
    while (link.status().connected === null) await new Promise((r) => setTimeout(r, 10));
  }
});
await Promise.all(lanes);
const usage = (): Record<string, number> => {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rss: process.memoryUsage.rss() };
};
say({ what: 'connected', count: links.length, ...usage() });
process.stdin.on('data', () => say({ what: 'usage', ...usage() }));
process.stdin.on('end', () => process.exit());
