/** The server that every variant ends at: nginx with one worker, one configuration for both versions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Version } from './network.js';
import { REPLIES, type Reply } from './rules.js';

/** Shared by the origin and the nginx peer: one process in the foreground, nothing logged. */
export function nginxConfig(folder: string, events: string, http: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 65536;
pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')} error;
events { worker_connections 8192; ${events} }
http {
  access_log off; tcp_nopush off; tcp_nodelay on; server_tokens off;
  keepalive_timeout 1h; keepalive_requests 1000000000;
${temp.map((kind) => `  ${kind}_temp_path ${join(folder, kind)};`).join('\n')}
${http}
}
`;
}

/** Writes configuration and files; returns the command. Every reply tells its version in x-served-by. */
export function originCommand(
  nginx: string,
  folder: string,
  version: Version,
  listen: string,
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const text = (reply: Reply): string => `${version} `.padEnd(REPLIES[reply].bytes - 1, '.');
  const file = (reply: Reply, sendfile: 'on' | 'off'): string => {
    writeFileSync(join(folder, reply), `${text(reply)}\n`);
    const { path } = REPLIES[reply];
    return `    location = ${path} { alias ${join(folder, reply)}; sendfile ${sendfile}; }`;
  };
  const server = `  open_file_cache max=16 inactive=1h; open_file_cache_valid 1h; output_buffers 2 128k;
  server {
    listen ${listen} backlog=4096; default_type text/plain; add_header x-served-by ${version};
    location = ${REPLIES.small.path} { return 200 '${text('small')}\\n'; }
${file('64k', 'off')}
${file('sendfile-100k', 'on')}
  }`;
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, nginxConfig(folder, '', server));
  return [nginx, '-p', folder, '-c', config];
}
