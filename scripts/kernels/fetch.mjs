// Debian's kernels and its static busybox, downloaded by apt into a folder of their own: its lists and
// its state too, so that the machine's own sources stay as they are. Nothing is installed.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
// Where the series are: 6.1 and 6.12 in the security suite of the one, newer ones in the other.
const SUITES = [
  'http://deb.debian.org/debian bookworm main',
  'http://deb.debian.org/debian-security bookworm-security main',
  'http://deb.debian.org/debian trixie-backports main',
];

/** Where downloads are kept between runs. */
export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft', 'kernels');
}

function run(command, args, cwd) {
  const done = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (done.status === 0) return done.stdout;
  throw new Error(
    `\`${command} ${args.at(-1)}\` failed: ${(done.stderr || `${done.error}`).trim()}`,
  );
}

/** apt with folders of its own, its lists fetched. */
function openApt(cache) {
  const at = join(cache, 'apt');
  for (const name of ['etc', 'state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(at, name), { recursive: true });
  const sources = SUITES.map((suite) => `deb [signed-by=${KEYRING}] ${suite}\n`).join('');
  writeFileSync(join(at, 'etc/sources.list'), sources);
  writeFileSync(join(at, 'state/status'), '');
  const options = [
    ...[`Dir::Etc=${at}/etc`, `Dir::State=${at}/state`, `Dir::State::status=${at}/state/status`],
    ...[`Dir::Cache=${at}/cache`, 'APT::Architecture=amd64', 'APT::Sandbox::User='],
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, '-q', 'update']);
  return (command, args, cwd) => run(command, [...options, ...args], cwd);
}

/** Downloads a package and gives the folder that it was unpacked to. */
function unpack(apt, name, cache) {
  const folder = mkdtempSync(join(cache, 'unpack-'));
  apt('apt-get', ['download', name], folder);
  const [file] = readdirSync(folder);
  run('dpkg-deb', ['-x', join(folder, file), join(folder, 'files')]);
  return folder;
}

function keep(found, to) {
  copyFileSync(found, `${to}.new`);
  renameSync(`${to}.new`, to);
}

/** The package with the newest kernel of a series; from 6.19 on the kernel itself is in linux-binary. */
function newest(apt, series) {
  const pattern = `^linux-(image|binary)-${series.replaceAll('.', '\\.')}\\.[^-]*(-[0-9]+)?-cloud-amd64$`;
  const names = apt('apt-cache', ['search', '--names-only', pattern])
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((name) => name !== '');
  const number = (name) => name.match(/\d+/g).map(Number);
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    const at = x.findIndex((value, i) => value !== y[i]);
    // Of one version: `linux-binary` before `linux-image`, which then is empty.
    return at < 0 ? b.localeCompare(a) : x[at] - y[at];
  };
  const name = names.sort(order).at(-1);
  if (name === undefined) throw new Error(`the archive has no kernel ${series}`);
  return name;
}

function fetchKernel(apt, series, cache) {
  const name = newest(apt, series);
  const folder = unpack(apt, name, cache);
  const image = readdirSync(join(folder, 'files'), { recursive: true })
    .map(String)
    .find((path) => /\/vmlinuz(-[^/]*)?$/.test(path));
  if (image === undefined) throw new Error(`${name} has no kernel in it`);
  keep(join(folder, 'files', image), join(cache, `vmlinuz-${series}`));
  writeFileSync(join(cache, `vmlinuz-${series}.name`), name);
  rmSync(folder, { recursive: true });
}

function fetchBusybox(apt, cache) {
  const folder = unpack(apt, 'busybox-static', cache);
  keep(join(folder, 'files/bin/busybox'), join(cache, 'busybox'));
  rmSync(folder, { recursive: true });
}

/**
 * The kernels of these series (`6.1`) and busybox, from the cache or, where one is missing or
 * `renew`, from the archive: paths, and the names of the packages.
 */
export function fetchKernels(series, { renew, tell }) {
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache))
    if (name.startsWith('unpack-')) rmSync(join(cache, name), { recursive: true });
  let opened = null;
  const apt = () => {
    if (opened === null) {
      tell(`fetching from deb.debian.org into ${cache}`);
      opened = openApt(cache);
    }
    return opened;
  };
  const busybox = join(cache, 'busybox');
  if (!existsSync(busybox)) fetchBusybox(apt(), cache);
  const kernels = series.map((one) => {
    const image = join(cache, `vmlinuz-${one}`);
    if (renew || !existsSync(`${image}.name`)) fetchKernel(apt(), one, cache);
    return { series: one, image, name: readFileSync(`${image}.name`, 'utf8') };
  });
  return { busybox, kernels };
}
