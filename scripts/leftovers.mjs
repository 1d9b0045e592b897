// What Weft or its tests left on this machine: pins, network namespaces, cgroups, links. Each is a
// line of text; none is how it should be.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const OURS = /^weft/;

/** Tests name their things by process: those of another run that goes on are no leftovers. */
function isInUse(thing) {
  return (thing.match(/\d+/g) ?? []).some(
    (pid) => Number(pid) !== process.pid && existsSync(`/proc/${pid}`),
  );
}

function below(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function cgroups() {
  const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8') : '';
  const root = mounts.split('\n').find((line) => line.split(' ')[2] === 'cgroup2');
  if (root === undefined) return [];
  const path = root.split(' ')[1];
  return below(path)
    .filter((entry) => entry.isDirectory() && OURS.test(entry.name))
    .map((entry) => `cgroup ${join(path, entry.name)}`);
}

function namespaces() {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter((line) => OURS.test(line))
    .map((line) => `network namespace ${line.split(' ')[0]}`);
}

function links() {
  const { stdout } = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/^\d+: (weft[^:@]*)/gm)].map(([, name]) => `link ${name}`);
}

/** Everything that is there now, sorted. */
export function findLeftovers() {
  const pins = below('/sys/fs/bpf')
    .filter((entry) => OURS.test(entry.name))
    .map((entry) => `pin /sys/fs/bpf/${entry.name}`);
  const all = [...pins, ...namespaces(), ...cgroups(), ...links()];
  return all.filter((thing) => !isInUse(thing)).sort();
}
