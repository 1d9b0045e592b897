// libwasmtime for the tests: pip downloads the package of wasmtime-requirements.txt, held to its digests, and
// the library is taken out of it. Nothing is installed; .cache keeps it between runs.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const library = join(root, '.cache', 'wasmtime', '_libwasmtime.so');
const requirements = join(root, 'scripts', 'wasmtime-requirements.txt');
const CPU = { x64: 'x86_64', arm64: 'aarch64' };

function python(args, cwd) {
  const done = spawnSync('python3', args, { cwd, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) throw new Error(`\`python3 ${args.join(' ')}\` failed`);
}

/** Fetches the library where it is not there yet; throws where that cannot be done. */
export function fetchWasmtime() {
  if (existsSync(library) && statSync(library).mtimeMs > statSync(requirements).mtimeMs) return;
  console.error('fetching libwasmtime');
  const folder = mkdtempSync(join(tmpdir(), 'weft-wasmtime-'));
  try {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
    python(['-m', 'pip', 'download', ...quiet, '--require-hashes', '-r', requirements], folder);
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    python(['-m', 'zipfile', '-e', wheel, 'wheel'], folder);
    const from = `wheel/wasmtime/linux-${CPU[process.arch]}/_libwasmtime.so`;
    mkdirSync(join(root, '.cache', 'wasmtime'), { recursive: true });
    copyFileSync(join(folder, from), library);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
