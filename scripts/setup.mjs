// Installs what is missing on a fresh Debian machine with Node 20: npm packages of the lock file, and
// the Debian packages that building and running the kernel part needs. Does nothing where all is there.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchWasmtime } from './fetch-wasmtime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What npm writes when all packages are there. */
const INSTALLED = join(root, 'node_modules', '.package-lock.json');

/** What the kernel part needs: a file that shows it is there, and the Debian package that brings it. */
const DEBIAN = [
  { file: 'clang', package: 'clang', why: 'compiles the hooks' },
  { file: 'wasm-ld', package: 'lld', why: 'links the head parser for the simulator' },
  { file: 'bpftool', package: 'bpftool', why: 'tests look at loaded programs with it' },
  { file: 'python3', package: 'python3', why: 'peers of the socket tests' },
  { file: 'pip3', package: 'python3-pip', why: 'fetches libwasmtime for the tests' },
  { file: 'ip', package: 'iproute2', why: 'network namespaces of tests and demo' },
  { file: 'curl', package: 'curl', why: 'a client of the http tests' },
  { file: 'wrk', package: 'wrk', why: 'a client of the http tests' },
  { file: 'nginx', package: 'nginx', why: 'a server of the http tests' },
  { file: 'haproxy', package: 'haproxy', why: 'a server of the http tests' },
  { file: 'etcd', package: 'etcd-server', why: 'three members of it are a store of the tests' },
  { file: 'docker-registry', package: 'docker-registry', why: 'a registry of the bundle tests' },
  { file: 'systemd-analyze', package: 'systemd', why: 'reads the unit of the agent in its test' },
  { file: 'skopeo', package: 'skopeo', why: 'reads bundles back in the bundle tests' },
  { file: 'chromium', package: 'chromium', why: 'opens the playground in its test' },
  { file: 'protoc', package: 'protobuf-compiler', why: 'generates messages of the control plane' },
  {
    file: '/usr/include/google/protobuf/any.proto',
    package: 'libprotobuf-dev',
    why: 'messages that every protocol buffer may use',
  },
  { file: '/usr/include/bpf/bpf_helpers.h', package: 'libbpf-dev', why: 'headers of the hooks' },
  { file: '/usr/lib/*/libbpf.so.1', package: 'libbpf1', why: 'loads programs' },
];

function onPath(name) {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return dirs.some((dir) => existsSync(join(dir, name)));
}
function present(file) {
  if (file.includes('*'))
    return ['x86_64', 'aarch64'].some((cpu) => existsSync(file.replace('*', `${cpu}-linux-gnu`)));
  return file.startsWith('/') ? existsSync(file) : onPath(file);
}
function run(command, args) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (done.status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed`);
}

/** The npm packages of the lock file, where there are none yet. */
export function installPackages() {
  if (existsSync(INSTALLED)) return;
  console.error('installing npm packages');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Makes the checkout ready. Returns whether the kernel part can be built and run here, and why not. */
export function setup() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    console.error(`Weft needs Node 20.20 or later, this is ${process.versions.node}`);
    process.exit(4);
  }
  const lock = join(root, 'package-lock.json');
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs < statSync(lock).mtimeMs) {
    rmSync(INSTALLED);
  }
  installPackages();
  if (process.platform !== 'linux') return { kernel: false, why: 'not Linux' };
  const isRoot = process.getuid?.() === 0;
  const missing = DEBIAN.filter((need) => !present(need.file));
  if (missing.length > 0) {
    const names = missing.map((need) => need.package);
    if (!isRoot || !onPath('apt-get')) {
      return {
        kernel: false,
        why: `missing ${missing.map((m) => `${m.package} (${m.why})`).join(', ')}: sudo apt-get install ${names.join(' ')}`,
      };
    }
    console.error(`installing Debian packages: ${names.join(' ')}`);
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names]);
  }
  return isRoot ? { kernel: true, why: null } : { kernel: false, why: 'not root' };
}

/** The second engine of the simulator, which tests compare with the first. */
export function setupWasmtime() {
  if (process.platform !== 'linux') return;
  try {
    fetchWasmtime();
  } catch (error) {
    console.error(`tests of \`--engine wasmtime\` will fail: ${error.message}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { kernel, why } = setup();
  setupWasmtime();
  console.error(kernel ? 'ready' : `ready, but for the kernel part: ${why}`);
}
