/** Faults of registries and layouts. Guarded by code (`O` and three digits), never by class. */
import { CODES } from './codes.js';

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: string;
  readonly help: string | null;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = CODES[code]?.help ?? null;
  }
}

/** True for a RegistryError of this or another copy of this module. */
export function isRegistryError(value: unknown): value is RegistryError {
  return value instanceof Error && 'code' in value && /^O\d{3}$/.test(String(value.code));
}
