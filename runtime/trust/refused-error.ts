/** A bundle, or the trust policy that should judge it, was refused; the findings say why. Code `REFUSED`. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';

export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code = 'REFUSED';
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ((file: string) => string | null) | null;
  constructor(
    diagnostics: readonly Diagnostic[],
    sources: ((file: string) => string | null) | null = null,
  ) {
    super(diagnostics[0]?.message ?? 'refused');
    this.diagnostics = diagnostics;
    this.sources = sources;
  }
}

/** True for a RefusedError of this or another copy of this module. */
export function isRefusedError(value: unknown): value is RefusedError {
  return value instanceof Error && 'code' in value && value.code === 'REFUSED';
}
