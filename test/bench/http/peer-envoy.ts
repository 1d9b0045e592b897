/**
 * Envoy as a sidecar, configured as Istio does it: a virtual host for every service with all its names, a
 * route for the canary and one for the rest, an RBAC filter, an upstream cluster a version. `one` does all of
 * it in front of the client; `client` and `server` are Istio's two hops, which route at the client and
 * authorize at the server. Without TLS, access log and statistics filters, all of which Istio adds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVERS } from './network.js';
import { ALLOW, CANARY, HOSTS, namesOf, pathsOf } from './rules.js';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

interface Address {
  readonly host: string;
  readonly port: number;
}
const API = 'type.googleapis.com/envoy.extensions';
const address = ({ host, port }: Address): Json => ({
  socket_address: { address: host, port_value: port },
});
const exact = (name: string, value: string): Json => ({ name, string_match: { exact: value } });

const RBAC: Json = {
  name: 'envoy.filters.http.rbac',
  typed_config: {
    '@type': `${API}.filters.http.rbac.v3.RBAC`,
    rules: {
      action: 'ALLOW',
      policies: {
        'ns[prod]-policy[reviews]-rule[0]': {
          permissions: [
            {
              and_rules: {
                rules: [
                  { header: exact(':method', ALLOW.method) },
                  { url_path: { path: { prefix: ALLOW.prefix } } },
                  { header: exact(ALLOW.header.name, ALLOW.header.value) },
                ],
              },
            },
          ],
          principals: [{ any: true }],
        },
      },
    },
  },
};
const ROUTER: Json = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': `${API}.filters.http.router.v3.Router` },
};

function cluster(name: string, endpoint: Address): Json {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '10s',
    circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096 }] },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(endpoint) } }] }],
    },
  };
}

const route = (match: Json, to: string): Json => ({ match, route: { cluster: to, timeout: '0s' } });

/** Istio's outbound table: what is not in it is 404. */
const OUTBOUND: readonly Json[] = HOSTS.map((host) => ({
  name: `${host}.prod.svc.cluster.local:80`,
  domains: namesOf(host).flatMap((name) => [name, `${name}:80`]),
  routes: [
    route({ prefix: pathsOf(host), headers: [exact(CANARY.name, CANARY.value)] }, 'v2'),
    route({ prefix: pathsOf(host) }, 'v1'),
  ],
}));
const INBOUND = (to: string): readonly Json[] => [
  { name: 'inbound|http|9080', domains: ['*'], routes: [route({ prefix: '/' }, to)] },
];

function listener(
  name: string,
  at: Address,
  hosts: readonly Json[],
  filters: readonly Json[],
): Json {
  const manager = {
    '@type': `${API}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    generate_request_id: false,
    normalize_path: true,
    route_config: { name, validate_clusters: false, virtual_hosts: hosts },
    http_filters: [...filters, ROUTER],
  };
  const filter = {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: manager,
  };
  return { name, address: address(at), filter_chains: [{ filters: [filter] }] };
}

function write(
  envoy: string,
  folder: string,
  listeners: readonly Json[],
  clusters: readonly Json[],
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify({ static_resources: { listeners, clusters } }, null, 1));
  const quiet = ['--log-level', 'error', '--disable-hot-restart'];
  return [envoy, '-c', file, '--concurrency', '2', ...quiet];
}

/** One sidecar at the client that does everything. */
export function envoyOne(
  envoy: string,
  folder: string,
  at: Address,
  port: number,
): readonly string[] {
  const clusters = Object.entries(SERVERS).map(([name, host]) => cluster(name, { host, port }));
  return write(envoy, folder, [listener('outbound', at, OUTBOUND, [RBAC])], clusters);
}

/** The first of two: routes to the sidecar in front of the version. */
export function envoyClient(
  envoy: string,
  folder: string,
  at: Address,
  sidecarPort: number,
): readonly string[] {
  const clusters = Object.entries(SERVERS).map(([name, host]) =>
    cluster(name, { host, port: sidecarPort }),
  );
  return write(envoy, folder, [listener('outbound', at, OUTBOUND, [])], clusters);
}

/** The second of two: authorizes in front of the server. Two listeners, since one process serves both versions. */
export function envoyServer(
  envoy: string,
  folder: string,
  sidecarPort: number,
  port: number,
): readonly string[] {
  const versions = Object.entries(SERVERS);
  const listeners = versions.map(([name, host]) =>
    listener(`inbound-${name}`, { host, port: sidecarPort }, INBOUND(name), [RBAC]),
  );
  return write(
    envoy,
    folder,
    listeners,
    versions.map(([name, host]) => cluster(name, { host, port })),
  );
}
