/** Faults of the cluster. Guarded by code (`N` and three digits), never by class. */
import { CodedError } from '../../compiler/diagnostic/index.js';
import { CODES } from './codes.js';

export class KubernetesError extends CodedError {
  override readonly name = 'KubernetesError';
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(CODES, code, message, options);
  }
}

/** True for a KubernetesError of this or another copy of this module. */
export function isKubernetesError(value: unknown): value is KubernetesError {
  return value instanceof Error && 'code' in value && /^N\d{3}$/.test(String(value.code));
}
