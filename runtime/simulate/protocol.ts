/** What the simulator and its worker thread say to each other; one request at a time. */
import type { EngineAnswer } from './engine.js';
import type { Ask } from './record.js';

export interface Request {
  readonly connections: Uint8Array;
  readonly ask: Ask;
}

export type Reply =
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'answer' } & EngineAnswer)
  | { readonly kind: 'fault'; readonly code: string; readonly message: string };
