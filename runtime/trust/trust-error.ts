/** A fault of keys or signatures that ends what was asked. Guarded by code (`V` and three digits). */
import { CODES } from './codes.js';

export class TrustError extends Error {
  override readonly name = 'TrustError';
  readonly code: string;
  readonly help: string | null;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = CODES[code]?.help ?? null;
  }
}
