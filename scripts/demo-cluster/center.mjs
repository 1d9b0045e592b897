// The machines in the middle, in one namespace: three members of etcd, a registry, two control planes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runIn, until } from './processes.mjs';

export const CENTER = { name: 'center', addresses: ['10.77.0.1', '10.77.0.2'], cgroup: null };
export const CONTROLS = { one: '10.77.0.1:7443', two: '10.77.0.2:7443' };
export const REGISTRY = '127.0.0.1:5000';
const MEMBERS = ['m1', 'm2', 'm3'];
const clientUrl = (i) => `http://127.0.0.1:${2379 + 10 * i}`;
const peerUrl = (i) => `http://127.0.0.1:${2380 + 10 * i}`;
export const STORE = `etcd:${MEMBERS.map((_, i) => clientUrl(i)).join(',')}`;

/** Whether something answers HTTP there, asked from within the namespace. */
const answers = (url) =>
  runIn(CENTER.name, ['curl', '-sf', '-o', '/dev/null', url], { allowed: [0] });

export async function startStore(processes, folder) {
  for (const [i, name] of MEMBERS.entries()) {
    processes.start(`etcd-${name}`, CENTER.name, [
      'etcd',
      ...['--name', name, '--data-dir', join(folder, name), '--log-level', 'error'],
      ...['--listen-client-urls', clientUrl(i), '--advertise-client-urls', clientUrl(i)],
      ...['--listen-peer-urls', peerUrl(i), '--initial-advertise-peer-urls', peerUrl(i)],
      ...['--initial-cluster', MEMBERS.map((n, j) => `${n}=${peerUrl(j)}`).join(',')],
    ]);
  }
  for (const i of MEMBERS.keys())
    await until('etcd', () => answers(`${clientUrl(i)}/health`) === '');
}

export async function startRegistry(processes, folder) {
  const config = join(folder, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${folder}/registry } }
http: { addr: '${REGISTRY}' }
`,
  );
  processes.start('registry', CENTER.name, ['docker-registry', 'serve', config]);
  await until('the registry', () => answers(`http://${REGISTRY}/v2/`) === '');
}

export function startControl(processes, cli, name, keys) {
  processes.start(`control-${name}`, CENTER.name, [
    ...[process.execPath, cli, 'control', '--listen', CONTROLS[name], '--store', STORE],
    ...['--ca', `${keys}/ca.pem`, '--cert', `${keys}/cert.pem`, '--key', `${keys}/key.pem`],
  ]);
}
