// How a command begins that shows, tests or measures: what is missing is installed and fetched, and all is built. On a fresh
// clone each of them is the first one. Ends the process where the build fails, or the kernel is needed and cannot be asked.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setup, setupWasmtime } from './setup.mjs';

const UNSUPPORTED = 4;

/**
 * `needed` says what the kernel is needed for; null: the command also runs without it, and is told whether it is there.
 * `wasmtime`: whether the second engine of the simulator is asked. What is printed goes to stderr.
 */
export function setUpAndBuild({ needed = null, wasmtime = true } = {}) {
  const { kernel, why } = setup();
  if (needed !== null && !kernel) {
    console.error(`${needed}: ${why}`);
    process.exit(UNSUPPORTED);
  }
  if (wasmtime) setupWasmtime();
  console.error('building');
  const script = fileURLToPath(new URL('build.mjs', import.meta.url));
  const built = spawnSync(process.execPath, [script], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) process.exit(built.status ?? 1);
  return { kernel, why };
}
