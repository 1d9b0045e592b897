// What Weft or its tests left on this machine: pins, network namespaces, cgroups, links. Each is a
// line of text; none is how it should be.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OURS = /^weft/;

/** Tests name their things by process: those of another run that goes on are no leftovers. */
function isInUse(thing) {
  return numbersOf(thing).some((pid) => pid !== process.pid && existsSync(`/proc/${pid}`));
}
function numbersOf(thing) {
  return (thing.match(/\d+/g) ?? []).map(Number);
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

/** Everything that is there now, sorted; or all that one process made, also where it has not quite ended. */
export function findLeftovers(pid = null) {
  const pins = below('/sys/fs/bpf')
    .filter((entry) => OURS.test(entry.name))
    .map((entry) => `pin /sys/fs/bpf/${entry.name}`);
  const all = [...pins, ...namespaces(), ...cgroups(), ...links()];
  const isLeft = (thing) => (pid === null ? !isInUse(thing) : numbersOf(thing).includes(pid));
  return all.filter(isLeft).sort();
}

/** A cgroup goes with those below it, once the processes in it have ended. */
function removeCgroup(path) {
  writeFileSync(join(path, 'cgroup.kill'), '1');
  for (const entry of below(path)) if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  rmdirSync(path);
}

const REMOVE = {
  pin: (path) => rmSync(path, { recursive: true }),
  'network namespace': (name) => spawnSync('ip', ['netns', 'del', name]),
  cgroup: removeCgroup,
  link: (name) => spawnSync('ip', ['link', 'del', name]),
};

/** Takes away what findLeftovers named; what does not go is named by it again. */
export function removeLeftovers(things) {
  for (const thing of things) {
    const at = thing.lastIndexOf(' ');
    try {
      REMOVE[thing.slice(0, at)](thing.slice(at + 1));
    } catch {} // gone already, or it still has to end
  }
}
