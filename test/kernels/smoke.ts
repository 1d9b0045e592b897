/** The data plane for real, on loopback: connections and requests that are allowed, and their negative twins. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { enrol, load, machinePaths, unload } from '../../runtime/agent/index.js';
import { readWorld } from '../../runtime/discovery/index.js';
import type { Kernel } from '../../runtime/kernel/index.js';
import type { Specimen } from './measure.js';

/** One thing that was tried. */
export interface Step {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
}

/** The sample that this tries: see SMOKE_POLICY. */
export const SMOKE = 'smoke';
const CGROUP = '/weft-smoke';
const ALLOWED = '127.0.0.2';
const DENIED = '127.0.0.3';
const SERVICE = '10.96.0.1';
const PORT = 8080;
const LIMIT_MS = 30_000;

/** A client, a service whose requests are judged, and a plain workload of either verdict. */
export const SMOKE_WORLD: string = `services:
  - name: shop.prod
    addresses: [${SERVICE}]
    ports: [{ port: 80, target: ${PORT}, protocol: http }]
    clusters: [{ name: shop/v1, selector: { app: shop } }]
workloads:
  - { name: client.prod, addresses: [127.0.0.1], cgroup: ${CGROUP} }
  - { name: shop-1.prod, addresses: [127.0.0.9], labels: { app: shop } }
  - { name: open-1.prod, addresses: [${ALLOWED}], labels: { app: open } }
  - { name: shut-1.prod, addresses: [${DENIED}], labels: { app: shut } }
`;
export const SMOKE_POLICY = `import { Connection, Request, Verdict } from "weft";
export function authorizeConnection(connection: Connection): Verdict {
  return connection.destination.label("app").is("shut") ? Verdict.Deny : Verdict.Allow;
}
export function authorizeRequest(request: Request): Verdict {
  return request.path.startsWith("/private") ? Verdict.Deny : Verdict.Allow;
}
`;

const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(PORT, '0.0.0.0', resolve));

/** What a connection from here gives: `connected`, or the error's name. */
const tryConnect = (host: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(PORT, host);
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('connect', () => {
      socket.destroy();
      resolve('connected');
    });
  });

/** Status and body of an answer, or the error's name. */
const tryRequest = (agent: Agent, path: string): Promise<string> =>
  new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    const asked = request({ host: SERVICE, port: 80, path, agent, timeout: LIMIT_MS }, (reply) => {
      let body = '';
      reply.on('data', (chunk) => {
        body += chunk;
      });
      reply.on('end', () => resolve(`${reply.statusCode} ${body}`));
      reply.on('error', failed);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', failed);
    asked.end();
  });

/**
 * Loads the sample, enrols this very process and tries each thing once. The server is made before
 * and stays outside: a socket belongs to the cgroup that it was made in.
 */
export async function* smoke(
  kernel: Kernel,
  { bundle, world: text }: Specimen,
): AsyncGenerator<Step> {
  const { world } = readWorld(text, 'world.yaml');
  if (world === null) throw new Error('a faulty world');
  const paths = machinePaths();
  const server = createServer((asked, reply) => reply.end(`to ${asked.url}`));
  await listening(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const cgroup = join(paths.cgroups, CGROUP);
  mkdirSync(cgroup);
  await load(kernel, paths, { bundle, digest: 'smoke', world, now: new Date(), clockOffset: 0n });
  enrol(kernel, paths, cgroup);
  writeFileSync(join(cgroup, 'cgroup.procs'), String(process.pid));
  try {
    const step = (what: string, wanted: string, got: string): Step => ({ what, wanted, got });
    yield step('an allowed connection', 'connected', await tryConnect(ALLOWED));
    yield step('a refused connection', 'EPERM', await tryConnect(DENIED));
    for (const path of ['/a', '/b'])
      yield step('an allowed request', `200 to ${path}`, await tryRequest(agent, path));
    const refused = '403 RBAC: access denied';
    yield step('a refused request', refused, await tryRequest(agent, '/private'));
    yield step('an allowed request after it', '200 to /c', await tryRequest(agent, '/c'));
  } finally {
    writeFileSync(join(paths.cgroups, 'cgroup.procs'), String(process.pid));
    agent.destroy();
    server.close();
    unload(kernel, paths);
  }
}
