/** The simulator of one bundle in one world: what the kernel would answer, without a kernel. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import type { World } from '../discovery/index.js';
import { openWasmtime } from '../wasmtime/index.js';
import { openSimulator, type Simulator } from './open-simulator.js';
import { DEFAULT_DEADLINE_MS, startWorkerEngine } from './worker-engine.js';

export interface SimulatorOptions {
  readonly world: World;
  /** Longest time for one batch of decisions. */
  readonly deadlineMs?: number;
  /** File of libwasmtime, which then runs the policies instead of V8. */
  readonly wasmtime?: string | null;
}

/**
 * Starts a simulator: the bundle's modules in a worker thread. Rejects with SimulateError
 * SIMULATE_MODULE where one does not start, and WasmtimeError where the library cannot be used. Dispose of it when done.
 */
export async function createSimulator(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, deadlineMs = DEFAULT_DEADLINE_MS, wasmtime = null }: SimulatorOptions,
): Promise<Simulator> {
  // Here, so that its own error says what is amiss with the library.
  if (wasmtime !== null) openWasmtime(wasmtime);
  return openSimulator(bundle, {
    world,
    startEngine: (setup) => startWorkerEngine(setup, { deadlineMs, wasmtime }),
  });
}
