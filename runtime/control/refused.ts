/** What an operator asked for and cannot have; the findings say why. Code `REFUSED`. */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
import { ROLLOUT_CODES } from '../rollout/index.js';

export class AdminRefused extends Error {
  override readonly name = 'AdminRefused';
  readonly code = 'REFUSED';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics[0]?.message ?? 'refused');
    this.diagnostics = diagnostics;
  }
}

/** One finding, with the help of its code. */
export function adminRefused(code: string, message: string): AdminRefused {
  const help = ROLLOUT_CODES[code]?.help ?? null;
  return new AdminRefused([diagnostic(code, message, { help })]);
}
