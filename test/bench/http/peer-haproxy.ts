/** HAProxy as a sidecar: three conditions, the route table as a map file, upstream connections shared. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVERS } from './network.js';
import { ALLOW, CANARY, HOSTS, namesOf, pathsOf } from './rules.js';

/** Writes the configuration for the port of v1 and v2; returns the command. */
export function haproxyPeer(
  haproxy: string,
  folder: string,
  listen: string,
  port: number,
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const map = join(folder, 'routes.map');
  const rows = HOSTS.flatMap((host) => namesOf(host).map((name) => `${name}${pathsOf(host)} v1`));
  writeFileSync(map, `${rows.join('\n')}\n`);
  const backends = Object.entries(SERVERS).map(
    ([version, address]) => `backend ${version}
  http-reuse always
  server ${version} ${address}:${port} pool-max-conn -1 pool-purge-delay 1h`,
  );
  const config = `global
  nbthread 2
  maxconn 8192
defaults
  mode http
  timeout client 1h
  timeout server 1h
  timeout connect 5s
  timeout http-keep-alive 1h
frontend sidecar
  bind ${listen}
  acl allowed_method method ${ALLOW.method}
  acl allowed_path path_beg ${ALLOW.prefix}
  acl allowed_header req.hdr(${ALLOW.header.name}) -m str ${ALLOW.header.value}
  http-request deny deny_status 403 unless allowed_method allowed_path allowed_header
  http-request set-var(txn.route) base,map_beg(${map},none)
  use_backend missing if { var(txn.route) -m str none }
  use_backend v2 if { req.hdr(${CANARY.name}) -m str ${CANARY.value} }
  default_backend v1
backend missing
  http-request return status 404
${backends.join('\n')}
`;
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  return [haproxy, '-f', file, '-db'];
}
