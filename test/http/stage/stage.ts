/** The machines of the suite with an actor on each; the servers listen. */
import { Actor } from './actor.js';
import { SERVICE } from './project.js';
import { HOSTS, type HostName, NAMES, Topology } from './topology.js';

const SERVERS = ['v1', 'v2', 'other'] as const;
const DEADLINE = 5;

export class Stage {
  readonly topology: Topology = new Topology();
  readonly actors: Readonly<Record<HostName, Actor>>;

  constructor() {
    this.actors = Object.fromEntries(
      NAMES.map((name) => {
        const host = HOSTS[name];
        return [name, new Actor(name, host.namespace, this.topology.cgroup(host))];
      }),
    ) as Record<HostName, Actor>;
  }

  async listen(): Promise<void> {
    for (const name of SERVERS) {
      const hosts = [HOSTS[name].v4, HOSTS[name].v6];
      const order = { op: 'listen', hosts, port: SERVICE.target };
      const [done] = await this.actors[name].ask([order], DEADLINE);
      if (!done?.ok) throw new Error(`${name} does not listen: ${JSON.stringify(done)}`);
    }
  }

  async close(): Promise<void> {
    for (const actor of Object.values(this.actors)) await actor.stop();
    this.topology.close();
  }
}
