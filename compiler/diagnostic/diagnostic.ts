/**
 * A finding about the user's input. Diagnostics are values: passes return or collect them, they are
 * never thrown across rooms. Positions are 1-based; columns count UTF-16 code units as editors do.
 */
export type Severity = 'error' | 'warning' | 'info';

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly endLine: number | null;
  readonly endColumn: number | null;
  readonly notes: readonly string[];
  readonly help: string | null;
}

export interface DiagnosticOptions {
  readonly at?: Position | null;
  readonly severity?: Severity;
  readonly notes?: readonly string[];
  readonly help?: string | null;
}

/** Makes a diagnostic; severity is `error` unless said otherwise. */
export function diagnostic(
  code: string,
  message: string,
  options: DiagnosticOptions = {},
): Diagnostic {
  const at = options.at ?? null;
  return {
    code,
    severity: options.severity ?? 'error',
    message,
    file: at?.file ?? null,
    line: at?.line ?? null,
    column: at?.column ?? null,
    endLine: at?.endLine ?? at?.line ?? null,
    endColumn: at?.endColumn ?? null,
    notes: options.notes ?? [],
    help: options.help ?? null,
  };
}

/** True where a list holds at least one error (not merely warnings). */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}
