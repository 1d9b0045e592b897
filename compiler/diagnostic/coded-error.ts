/** A fault of the world outside with a code of its room: told as a diagnostic is, guarded by code and never by class. */
import type { CodeTable } from './code-table.js';

export abstract class CodedError extends Error {
  readonly code: string;
  /** What the code's table says to do; null where it says nothing. */
  readonly help: string | null;
  constructor(codes: CodeTable, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = codes[code]?.help ?? null;
  }
}
