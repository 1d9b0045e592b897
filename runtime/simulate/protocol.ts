/** What the simulator and its worker thread say to each other; one request at a time. */
import type { EngineAnswer, EngineSetup } from './engine.js';
import type { Ask } from './record.js';

/** What the thread is started with. */
export interface WorkerSetup {
  readonly setup: EngineSetup;
  /** File of libwasmtime; null: V8 runs the policies. */
  readonly wasmtime: string | null;
}

export interface Request {
  readonly connections: Uint8Array;
  readonly ask: Ask;
}

export type Reply =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'answer' } & EngineAnswer)
  | { readonly kind: 'fault'; readonly code: string; readonly message: string };
