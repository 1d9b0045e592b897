/** Faults of the store. Guarded by code (`D` and three digits), never by class. */
import { CodedError } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';

export class StoreError extends CodedError {
  override readonly name = 'StoreError';
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(CODES, code, message, options);
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
