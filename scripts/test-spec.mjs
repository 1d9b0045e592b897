// Builds, then runs the WebAssembly specification's integer assertions in the IR evaluator and the kernel.
// usage: npm run test:spec [-- file...] [--no-build]     Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const { kernel, why } = setup();
if (!kernel) {
  console.error(`each assertion runs in the kernel: ${why}`);
  process.exit(4);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2).filter((word) => word !== '--no-build');
if (!process.argv.includes('--no-build')) {
  const build = ['scripts/build.mjs'];
  const built = spawnSync(process.execPath, build, { cwd: root, stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
const main = ['--enable-source-maps', 'dist/test/spec/main.js', ...words];
const done = spawnSync(process.execPath, main, { cwd: root, stdio: 'inherit' });
process.exit(done.status ?? 1);
