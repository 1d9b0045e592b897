/** A fault of the simulator's surroundings: a module that does not start, a worker that died. */
export type SimulateErrorCode = 'SIMULATE_MODULE' | 'SIMULATE_DEADLINE' | 'SIMULATE_WORKER';

export class SimulateError extends Error {
  override readonly name = 'SimulateError';
  readonly code: SimulateErrorCode;

  constructor(code: SimulateErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Guards by code, so that it holds across copies of this module. */
export function isSimulateError(error: unknown): error is SimulateError {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return typeof error.code === 'string' && error.code.startsWith('SIMULATE_');
}
