/** nginx as a sidecar: a server block a virtual host, a location a path, upstream connections kept. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVERS } from './network.js';
import { nginxConfig } from './origin.js';
import { ALLOW, CANARY, HOSTS, namesOf, pathsOf } from './rules.js';

const variable = (header: string): string => `$http_${header.replaceAll('-', '_')}`;

function virtualHost(host: string, listen: string): string {
  return `  server {
    listen ${listen}; server_name ${namesOf(host).join(' ')};
    if ($request_method != ${ALLOW.method}) { return 403; }
    if (${variable(ALLOW.header.name)} != ${ALLOW.header.value}) { return 403; }
    location ${pathsOf(host)} { proxy_pass http://$version; }
    location ${ALLOW.prefix} { return 404; }
    location / { return 403; }
  }`;
}

/** Writes the configuration for the port of v1 and v2; returns the command. */
export function nginxPeer(
  nginx: string,
  folder: string,
  listen: string,
  port: number,
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const upstreams = Object.entries(SERVERS).map(
    ([version, address]) =>
      `  upstream ${version} { server ${address}:${port}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }`,
  );
  const http = [
    ...upstreams,
    `  map ${variable(CANARY.name)} $version { ${CANARY.value} v2; default v1; }`,
    // Replies of 100 KB stay in memory, and the head of a request goes on unchanged.
    '  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;',
    '  proxy_buffers 8 32k; proxy_buffer_size 32k; proxy_max_temp_file_size 0;',
    `  server { listen ${listen} default_server backlog=4096; return 404; }`,
    ...HOSTS.map((host) => virtualHost(host, listen)),
  ].join('\n');
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, nginxConfig(folder, '', http));
  return [nginx, '-p', folder, '-c', config];
}
