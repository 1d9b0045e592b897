/**
 * A simulator of one bundle in one world over any engine: the path of a connection, without anything of Node, so
 * that a page can have it too.
 */
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { Plan, World } from '../discovery/index.js';
import { decideFlows, decidePath } from './decide-path.js';
import type { EngineAnswer, EngineSetup } from './engine.js';
import type { Flow } from './flow.js';
import { healthIndex } from './health-index.js';
import type { DecideInput, Outcome } from './outcome.js';
import type { Ask } from './record.js';
import { requestParser } from './request.js';
import type { WorkerEngine } from './worker-engine.js';

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

/** Starts what asks the policies. */
export type StartEngine = (setup: EngineSetup) => WorkerEngine | Promise<WorkerEngine>;

/** Starts a simulator; rejects as `startEngine` does. Dispose of it when done. */
export async function openSimulator(
  bundle: Pick<Bundle, 'manifest' | 'wasm'>,
  { world, startEngine }: { readonly world: World; readonly startEngine: StartEngine },
): Promise<Simulator> {
  const { manifest } = bundle;
  const { base, indexFor } = healthIndex(manifest, world);
  const parseRequest = requestParser(manifest.headers);
  const setup = { manifest, wasm: [...bundle.wasm], symbols: base.plan.symbols };
  const engine = await startEngine(setup);
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
