/** Faults of registries and layouts. Guarded by code (`O` and three digits), never by class. */
import { CodedError } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';

export class RegistryError extends CodedError {
  override readonly name = 'RegistryError';
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(CODES, code, message, options);
  }
}

/** True for a RegistryError of this or another copy of this module. */
export function isRegistryError(value: unknown): value is RegistryError {
  return value instanceof Error && 'code' in value && /^O\d{3}$/.test(String(value.code));
}
