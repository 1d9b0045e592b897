/** Checks one record of the record format, whose place is a line. */
import type { Diagnostic, Position } from '../../compiler/diagnostic/index.js';
import { validate } from './gen/record.gen.js';
import { schemaDiagnostics } from './schema-diagnostics.js';

/** Whether a value is a record. */
export function isRecord(value: unknown): boolean {
  return validate(value);
}

/** What keeps a value from being a record. */
export function recordFaults(value: unknown, at: Position): readonly Diagnostic[] {
  return validate(value) ? [] : schemaDiagnostics(validate.errors ?? [], () => at);
}
