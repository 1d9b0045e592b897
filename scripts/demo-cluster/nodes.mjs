// A node of the cluster: a network namespace, a mount namespace with a bpffs and state of its own, an
// `api` and a `web`, and the agent. The mounts are held by a process that only sleeps, as init would on
// a machine: what an agent pins outlives it.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '../demo/topology.mjs';
import { CONTROLS } from './center.mjs';
import { linesOf } from './processes.mjs';
import { addressOf, cgroupOf, SERVICE } from './shop.mjs';

const WORKLOAD = new URL('workload.mjs', import.meta.url).pathname;

/** Own file systems for pins and state; then it says so, and sleeps. */
const HOLD = `set -e
mkdir -p /run/weft /var/lib/weft /etc/weft
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run/weft
mount --bind "$0/lib" /var/lib/weft
mount --bind "$0/etc" /etc/weft
echo '{"ready":true}'
exec sleep infinity`;

export class Node {
  constructor(name, folder, processes, agent) {
    this.name = name;
    this.folder = join(folder, name);
    this.processes = processes;
    this.agent = agent;
    this.mounts = null;
    for (const part of ['lib', 'etc']) mkdirSync(join(this.folder, part), { recursive: true });
  }

  /** Mounts and workloads; the agent comes by itself. */
  async start(world, signer) {
    writeFileSync(join(this.folder, 'world.json'), JSON.stringify(world));
    copyFileSync(signer, join(this.folder, 'etc/signer.pub'));
    const trust = { keys: [{ name: 'demo', file: 'signer.pub' }] };
    writeFileSync(join(this.folder, 'etc/trust.json'), JSON.stringify(trust));
    const held = this.processes.start(
      `hold-${this.name}`,
      this.name,
      ['unshare', '--mount', 'sh', '-c', HOLD, this.folder],
      { stdio: ['ignore', 'pipe', 'log'] },
    );
    await linesOf(held)();
    this.mounts = held.pid;
    const address = addressOf(this.name, 'api');
    const { next } = this.#workload('api', [address, String(SERVICE.target)]);
    await next();
  }

  startAgent(keys) {
    this.processes.start(
      `agent-${this.name}`,
      this.name,
      [
        ...[process.execPath, this.agent, '--world', join(this.folder, 'world.json')],
        ...['--enrol', 'all', '--quiet', '--control', Object.values(CONTROLS).join(',')],
        ...['--ca', `${keys}/ca.pem`, '--cert', `${keys}/cert.pem`, '--key', `${keys}/key.pem`],
        ...['--label', 'tier=shop'],
      ],
      { mounts: this.mounts },
    );
  }

  /** Begins to ask the service; answers with how to end it, which resolves to what came of it. */
  async startTraffic() {
    const own = addressOf(this.name, 'web');
    const { child, next } = this.#workload('web', [own, SERVICE.address, String(SERVICE.port)]);
    await next();
    return () => {
      child.stdin.end();
      return next();
    };
  }

  #workload(app, args) {
    const child = this.processes.start(
      `${app}-${this.name}`,
      this.name,
      [process.execPath, WORKLOAD, app, ...args],
      { stdio: ['pipe', 'pipe', 'log'], cgroup: join(cgroupRoot(), cgroupOf(this.name, app)) },
    );
    return { child, next: linesOf(child) };
  }

  /** What the kernel of this node runs, as the node itself says. */
  status(weft) {
    return JSON.parse(weft(this.name, ['status', '-o', 'json'], { mounts: this.mounts }));
  }

  /** Throws where the node runs anything else. */
  mustRun(weft, digest) {
    const active = this.status(weft).generations.find((g) => g.active);
    if (active?.bundle !== digest) throw new Error(`${this.name} runs ${active?.bundle}`);
  }
}
