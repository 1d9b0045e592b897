/** Starts the origins and every peer: none, sk_msg, haproxy, nginx, envoy-1, envoy-2. */
import { join } from 'node:path';
import type { Kernel } from '../../../runtime/kernel/index.js';
import { emptySkMsg } from './empty-sk-msg.js';
import { type Launched, launch } from './launch.js';
import { Group, SERVERS, type Side, type Version } from './network.js';
import { originCommand } from './origin.js';
import { envoyClient, envoyOne, envoyServer } from './peer-envoy.js';
import { haproxyPeer } from './peer-haproxy.js';
import { nginxPeer } from './peer-nginx.js';
import type { Tools } from './tools.js';
import { CPUS, type Variant } from './variant.js';

export type Peer = 'none' | 'sk_msg' | 'haproxy' | 'nginx' | 'envoy-1' | 'envoy-2';

/** Where the origins of the peers listen, and the second hop in front of them. */
const PORT = { origin: 9080, sidecar: 15006 } as const;
/** The proxy's port in the client's namespace. A client asks it directly: no redirection is paid for. */
const LISTEN = { haproxy: 15001, nginx: 15002, 'envoy-1': 15003, 'envoy-2': 15004 } as const;
const LOOPBACK = '127.0.0.1';

export interface Where {
  readonly tools: Tools;
  readonly cgroups: string; // the cgroup2 root
  readonly folder: string;
}

/** One nginx a version, each in the cgroup that is named. */
export function startOrigins(
  where: Where,
  port: number,
  group: (version: Version) => Group,
): readonly Launched[] {
  return (Object.keys(SERVERS) as Version[]).map((version) => {
    const folder = join(where.folder, `origin-${port}-${version}`);
    const listen = `${SERVERS[version]}:${port}`;
    const command = originCommand(where.tools.nginx, folder, version, listen);
    const place = { side: 'server', cgroup: group(version).path, cpus: CPUS.server } as const;
    return launch(`origin ${version}`, `${folder}.log`, place, command);
  });
}

/** The peers by name. They are not ready yet when this returns: `checkVariant` waits. */
export function startPeers(kernel: Kernel, where: Where): ReadonlyMap<Peer, Variant> {
  const { tools, cgroups, folder } = where;
  const server = new Group(cgroups, 'server');
  const client = {
    side: 'client',
    cgroup: new Group(cgroups, 'client').path,
    cpus: CPUS.client,
  } as const;
  const origins = startOrigins(where, PORT.origin, () => server);
  const at = (peer: keyof typeof LISTEN): string => `${LOOPBACK}:${LISTEN[peer]}`;
  const address = (peer: keyof typeof LISTEN): { host: string; port: number } => ({
    host: LOOPBACK,
    port: LISTEN[peer],
  });
  const home = (name: string): string => join(folder, name);

  type Hop = readonly [name: string, side: Side, command: readonly string[]];
  const proxied = (peer: keyof typeof LISTEN, hops: readonly Hop[]): [Peer, Variant] => {
    const mesh = new Group(cgroups, peer);
    const started = hops.map(([name, side, command]) =>
      launch(name, `${home(name)}.log`, { side, cgroup: mesh.path, cpus: CPUS.proxy }, command),
    );
    const variant: Variant = {
      name: peer,
      client,
      versions: ['v1', 'v2'],
      target: () => at(peer),
      serverCpu: () => server.cpuSeconds(),
      meshCpu: () => mesh.cpuSeconds(),
      mustLive: () => {
        for (const program of [...origins, ...started]) program.mustLive();
      },
    };
    return [peer, variant];
  };
  const none: Variant = {
    name: 'none',
    client,
    versions: ['v1', 'v2'],
    target: (version) => `${SERVERS[version]}:${PORT.origin}`,
    serverCpu: () => server.cpuSeconds(),
    meshCpu: () => 0,
    mustLive: () => {
      for (const program of origins) program.mustLive();
    },
  };
  const { envoy } = tools;
  return new Map<Peer, Variant>([
    ['none', none],
    ['sk_msg', emptySkMsg(kernel, where, none)],
    proxied('haproxy', [
      [
        'haproxy',
        'client',
        haproxyPeer(tools.haproxy, home('haproxy'), at('haproxy'), PORT.origin),
      ],
    ]),
    proxied('nginx', [
      ['nginx', 'client', nginxPeer(tools.nginx, home('nginx'), at('nginx'), PORT.origin)],
    ]),
    proxied('envoy-1', [
      ['envoy-1', 'client', envoyOne(envoy, home('envoy-1'), address('envoy-1'), PORT.origin)],
    ]),
    proxied('envoy-2', [
      [
        'envoy-2-client',
        'client',
        envoyClient(envoy, home('envoy-2-client'), address('envoy-2'), PORT.sidecar),
      ],
      [
        'envoy-2-server',
        'server',
        envoyServer(envoy, home('envoy-2-server'), PORT.sidecar, PORT.origin),
      ],
    ]),
  ]);
}
