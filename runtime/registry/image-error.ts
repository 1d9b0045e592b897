/** What was found is no bundle, or not a whole one; the findings say why. Code `IMAGE`. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';

export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code = 'IMAGE';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics[0]?.message ?? 'no bundle');
    this.diagnostics = diagnostics;
  }
}
