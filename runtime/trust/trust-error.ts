/** A fault of keys or signatures that ends what was asked. Guarded by code (`V` and three digits). */
import { CodedError } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';

export class TrustError extends CodedError {
  override readonly name = 'TrustError';
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(CODES, code, message, options);
  }
}
