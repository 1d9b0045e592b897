/**
 * The engines that must agree: V8 and Wasmtime on the bundle's WASM, the kernel on its object (the joined policy
 * functions by test-run). Both take structs weft_connection or weft_request and answer records (runtime/simulate/record).
 */
import { fileURLToPath } from 'node:url';
import type { Bundle } from '../../compiler/index.js';
import { createKernelSimulator } from '../../runtime/agent/index.js';
import type { World } from '../../runtime/discovery/index.js';
import { type Kernel, openKernel } from '../../runtime/kernel/index.js';
import {
  ASKED,
  type Ask,
  createEngine,
  type RecordFields,
  readRecord,
  wasmtimePolicies,
} from '../../runtime/simulate/index.js';
import { fixtureWorld } from './fixture-world.js';

export interface TestEngine extends Disposable {
  readonly name: 'wasm' | 'wasmtime' | 'kernel';
  decide(connections: Uint8Array, ask: Ask): Promise<readonly RecordFields[]>;
}

function recordsOf(bytes: Uint8Array, count: number): RecordFields[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => readRecord(view, i));
}

/** V8; `symbols` are the texts above the bundle's own, in symbol order. */
export function wasmEngine(bundle: Bundle, symbols: readonly string[]): TestEngine {
  const engine = createEngine({ manifest: bundle.manifest, wasm: [...bundle.wasm], symbols });
  return {
    name: 'wasm',
    decide: async (connections, ask) =>
      recordsOf(engine.decide(connections, ask).records, connections.length / ASKED[ask].size),
    [Symbol.dispose]: () => undefined,
  };
}

/** What `node scripts/setup.mjs` fetches. */
export const WASMTIME: string = fileURLToPath(
  new URL('../../../.cache/wasmtime/_libwasmtime.so', import.meta.url),
);

/** Wasmtime, on the same bytes. */
export function wasmtimeEngine(bundle: Bundle, symbols: readonly string[]): TestEngine {
  const policies = wasmtimePolicies(WASMTIME);
  const setup = { manifest: bundle.manifest, wasm: [...bundle.wasm], symbols };
  const engine = createEngine(setup, policies.start);
  return {
    name: 'wasmtime',
    decide: async (connections, ask) =>
      recordsOf(engine.decide(connections, ask).records, connections.length / ASKED[ask].size),
    [Symbol.dispose]: () => policies[Symbol.dispose](),
  };
}

let kernel: Kernel | null = null;

/** The kernel, asked through BPF_PROG_TEST_RUN of the harness joined with the same object; the world has what the bundle names. */
export function kernelEngine(bundle: Bundle, world: World = fixtureWorld()): TestEngine {
  kernel ??= openKernel();
  const simulator = createKernelSimulator(kernel, bundle, world);
  return {
    name: 'kernel',
    decide: async (connections, ask) =>
      recordsOf(
        (await simulator.decidePolicy(connections, ask)).records,
        connections.length / ASKED[ask].size,
      ),
    [Symbol.dispose]: () => simulator[Symbol.dispose](),
  };
}
