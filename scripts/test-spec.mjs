// Builds, then runs the WebAssembly specification's integer assertions in the IR evaluator and the kernel.
// usage: npm run test:spec [-- file...] [--no-build]     Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUpAndBuild } from './set-up-and-build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2).filter((word) => word !== '--no-build');
if (!process.argv.includes('--no-build')) {
  setUpAndBuild({ needed: 'each assertion runs in the kernel', wasmtime: false });
}
const main = ['--enable-source-maps', 'dist/test/spec/main.js', ...words];
const done = spawnSync(process.execPath, main, { cwd: root, stdio: 'inherit' });
process.exit(done.status ?? 1);
