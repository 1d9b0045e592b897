/** The simulator of one bundle in one world: what the kernel would answer, without a kernel. */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Plan, World } from '../discovery/index.js';
import { openWasmtime } from '../wasmtime/index.js';
import { decideFlows, decidePath } from './decide-path.js';
import type { EngineAnswer, EngineSetup } from './engine.js';
import type { Flow } from './flow.js';
import { healthIndex } from './health-index.js';
import type { DecideInput, Outcome } from './outcome.js';
import type { Ask } from './record.js';
import { requestParser } from './request.js';
import { DEFAULT_DEADLINE_MS, startWorkerEngine, type WorkerEngine } from './worker-engine.js';

export interface SimulatorOptions {
  readonly world: World;
  /** Longest time for one batch of decisions. */
  readonly deadlineMs?: number;
  /** File of libwasmtime, which then runs the policies instead of V8. */
  readonly wasmtime?: string | null;
  /** What asks the policies, in place of V8 in a worker thread. */
  readonly startEngine?: (setup: EngineSetup) => WorkerEngine;
}

export interface Simulator extends AsyncDisposable {
  readonly world: World;
  /** Of the world as it stands; its diagnostics say what the bundle names and the world lacks. */
  readonly plan: Plan;
  /** Takes one connection through client and server side. */
  readonly simulate: (input: DecideInput) => Promise<Outcome>;
  /** The same, as what it came to rather than what is told of it. */
  readonly decide: (input: DecideInput) => Promise<Flow>;
  /** Takes many, in order. */
  readonly simulateAll: (inputs: readonly DecideInput[]) => Promise<readonly Outcome[]>;
  /**
   * Asks the joined policies themselves: structs weft_connection or weft_request in, RECORD.size
   * bytes each out. Symbols above the bundle's own are those of `plan.symbols`.
   */
  readonly decidePolicy: (connections: Uint8Array, ask: Ask) => Promise<EngineAnswer>;
}

/**
 * Starts a simulator: the bundle's modules in a worker thread. Rejects with SimulateError
 * SIMULATE_MODULE where one does not start, and WasmtimeError where the library cannot be used. Dispose of it when done.
 */
export async function createSimulator(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, deadlineMs = DEFAULT_DEADLINE_MS, wasmtime = null, startEngine }: SimulatorOptions,
): Promise<Simulator> {
  // Here, so that its own error says what is amiss with the library.
  if (wasmtime !== null) openWasmtime(wasmtime);
  const { manifest } = bundle;
  const { base, indexFor } = healthIndex(manifest, world);
  const parseRequest = requestParser(manifest.headers);
  const setup = { manifest, wasm: [...bundle.wasm], symbols: base.plan.symbols };
  const engine = startEngine?.(setup) ?? (await startWorkerEngine(setup, { deadlineMs, wasmtime }));
  const options = { manifest, engine, indexFor, parseRequest };
  const simulateAll = (inputs: readonly DecideInput[]): Promise<Outcome[]> =>
    decidePath(inputs, options);
  return {
    world,
    plan: base.plan,
    simulateAll,
    simulate: async (input) => {
      const [outcome] = await simulateAll([input]);
      if (outcome === undefined) throw new BugError('one input, no outcome');
      return outcome;
    },
    decide: async (input) => {
      const [flow] = await decideFlows([input], options);
      if (flow === undefined) throw new BugError('one input, no flow');
      return flow;
    },
    decidePolicy: engine.decide,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
