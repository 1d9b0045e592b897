// The demo's machines: a cgroup and a network namespace for each workload, joined by one bridge in a
// namespace of its own. Everything is named weft-demo-*, so that `remove` finds it after any death.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export const PREFIX = 'weft-demo-';
const FABRIC = `${PREFIX}fabric`;

/** Where cgroup2 is mounted; throws where it is not. */
export function cgroupRoot() {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path, type] = line.split(' ');
    if (type === 'cgroup2') return path;
  }
  throw new Error('cgroup2 is not mounted');
}

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Makes the fabric and one namespace and cgroup for each host { name, addresses, cgroup }. */
export function create(hosts) {
  ip('netns', 'add', FABRIC);
  ip('-n', FABRIC, 'link', 'add', 'fabric', 'type', 'bridge');
  ip('-n', FABRIC, 'link', 'set', 'fabric', 'up');
  hosts.forEach((host, index) => {
    const namespace = PREFIX + host.name;
    const far = `port${index}`;
    ip('netns', 'add', namespace);
    ip(
      '-n',
      FABRIC,
      'link',
      'add',
      far,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    );
    ip('-n', FABRIC, 'link', 'set', far, 'master', 'fabric', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    for (const address of host.addresses) {
      const six = address.includes(':');
      // nodad: an address that is usable at once; /32 and a default route on the link reach every host.
      ip(
        '-n',
        namespace,
        'addr',
        'add',
        `${address}/${six ? 128 : 32}`,
        'dev',
        'eth0',
        ...(six ? ['nodad'] : []),
      );
    }
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'route', 'add', 'default', 'dev', 'eth0');
    ip('-n', namespace, '-6', 'route', 'add', 'default', 'dev', 'eth0');
    if (host.cgroup) mkdirSync(join(cgroupRoot(), host.cgroup), { recursive: true });
  });
}

/**
 * The command and arguments that run `command` on a host. The cgroup comes first: `ip netns exec`
 * mounts a /sys of its own, in which cgroup2 is not to be seen.
 */
export function onHost(host, command, args) {
  const words = ['ip', 'netns', 'exec', PREFIX + host.name, command, ...args];
  if (!host.cgroup) return [words[0], words.slice(1)];
  const procs = join(cgroupRoot(), host.cgroup, 'cgroup.procs');
  return ['sh', ['-c', 'echo $$ > "$0"; exec "$@"', procs, ...words]];
}

/** `ip` of the clean-up: in a session of its own, so that a second Ctrl-C does not stop it. */
const ipDetached = (...args) =>
  spawnSync('ip', args, { encoding: 'utf8', detached: true }).stdout ?? '';

/** Removes all that `create` made, now or in a run that died: processes, namespaces, cgroups. */
export function remove() {
  const list = ipDetached('netns', 'list');
  for (const line of list.split('\n')) {
    const name = line.split(' ')[0];
    if (!name?.startsWith(PREFIX)) continue;
    const pids = ipDetached('netns', 'pids', name);
    for (const pid of pids.split('\n').filter(Boolean)) kill(Number(pid));
    ipDetached('netns', 'del', name);
  }
  const top = join(cgroupRoot(), 'weft-demo');
  if (existsSync(top)) removeCgroup(top);
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself meanwhile
  }
}

function removeCgroup(path) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  for (let tries = 0; tries < 200; tries++) {
    for (const pid of readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
      kill(Number(pid));
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      // EBUSY until the killed processes are reaped; the kernel says when by letting us remove it.
      if (error.code === 'ENOENT') return;
      if (error.code !== 'EBUSY') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  throw new Error(`cgroup ${path} stays busy`);
}

/** Moves a process into a cgroup (its future sockets belong there). */
export function moveTo(cgroup, pid) {
  writeFileSync(join(cgroupRoot(), cgroup, 'cgroup.procs'), String(pid));
}
