/** What a control plane answered instead of what was asked. Guarded by `code`, never by class. */
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Diagnostic } from '../../../compiler/diagnostic/index.js';

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: string;
  /** There where the answer is findings: code REFUSED. */
  declare readonly diagnostics?: readonly Diagnostic[];
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The status of a call as an error of ours; a code that the control plane named is kept. */
export function adminError(cause: Partial<ServiceError>, address: string): AdminError {
  const details = cause.details ?? cause.message ?? 'it broke';
  const [, own, text] = /^([A-Z]\d{3}) (.*)$/s.exec(details) ?? [];
  if (own !== undefined && text !== undefined) return new AdminError(own, text, { cause });
  if (cause.code === status.PERMISSION_DENIED || cause.code === status.UNAUTHENTICATED) {
    return new AdminError('C041', `${address}: ${details}`, { cause });
  }
  const code = cause.code === status.UNAVAILABLE || cause.code === status.DEADLINE_EXCEEDED;
  return new AdminError(code ? 'C040' : 'C042', `${address}: ${details}`, { cause });
}

/** Findings of the control plane as an error. */
export function refusedError(texts: readonly string[]): AdminError {
  const diagnostics = texts.map((text) => JSON.parse(text) as Diagnostic);
  const error = new AdminError('REFUSED', diagnostics[0]?.message ?? 'refused');
  return Object.assign(error, { diagnostics });
}
