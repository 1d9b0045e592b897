/** Faults of the store. Guarded by code (`D` and three digits), never by class. */
import { CODES } from './codes.js';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;
  readonly help: string | null;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = CODES[code]?.help ?? null;
  }
}

/** True for a StoreError of this or another copy of this module. */
export function isStoreError(value: unknown): value is StoreError {
  return value instanceof Error && 'code' in value && /^D\d{3}$/.test(String(value.code));
}

/** True where a watch has fallen behind what is kept: list anew. */
export function isCompacted(value: unknown): boolean {
  return isStoreError(value) && value.code === 'D102';
}
