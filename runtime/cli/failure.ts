/**
 * What went wrong in the world (files, kernel) as a result: one diagnostic, exit 1. Errors are told
 * apart by `code`, never by class, since the program is bundled.
 */
import { type Diagnostic, diagnostic, messageOf } from '../../compiler/diagnostic/index.js';
import type { Result } from './command-spec.js';
import type { Env } from './env.js';
import { EXIT, type ExitCode } from './exit.js';

/** A fault that already is a diagnostic, thrown to end a verb early. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code = 'CLI';
  readonly diagnostics: readonly Diagnostic[];
  readonly exit: ExitCode;
  readonly sources: ((file: string) => string | null) | null;
  constructor(
    diagnostics: readonly Diagnostic[],
    exit: ExitCode,
    sources: ((file: string) => string | null) | null = null,
  ) {
    super(diagnostics[0]?.message ?? 'failed');
    this.diagnostics = diagnostics;
    this.exit = exit;
    this.sources = sources;
  }
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

function isCliError(error: unknown): error is CliError {
  return codeOf(error) === 'CLI';
}

function textField(error: unknown, field: string): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Codes of typed errors that are not diagnostic codes themselves. */
const OTHER_CODES: Readonly<Record<string, string>> = {
  SIMULATE_MODULE: 'S001',
  SIMULATE_WORKER: 'S001',
  SIMULATE_DEADLINE: 'S002',
};

/** Missing here, rather than failed: exit 4. */
const UNSUPPORTED: readonly string[] = [
  'KERNEL_NOT_LINUX',
  'KERNEL_NO_LIBBPF',
  'A002',
  'A003',
  'A006',
  'S003',
];

/** What came is not what was asked for: exit 6. */
const INTEGRITY = /^(?:V10\d|O106|O107)$/;

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number | null;
}

/** The policy line that a verifier's refusal is about. */
function placeOf(error: unknown): Place | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, 'position');
  return typeof value === 'object' && value !== null && 'line' in value ? (value as Place) : null;
}

/** A typed error of another room as a diagnostic; its own code where it is one of ours. */
function worldFault(error: unknown, code: string): Diagnostic {
  const message = messageOf(error);
  const place = placeOf(error);
  const known = /^[A-Z]\d{3}$/.test(code) || code.startsWith('KERNEL_');
  const found = diagnostic(known ? code : (OTHER_CODES[code] ?? 'U010'), message, {
    help: textField(error, 'remedy') ?? textField(error, 'help'),
    at: place === null ? null : { ...place, column: place.column ?? 1 },
  });
  return place?.column === null ? { ...found, column: null, endColumn: null } : found;
}

function findingsOf(error: unknown): readonly Diagnostic[] | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, 'diagnostics');
  return Array.isArray(value) ? (value as readonly Diagnostic[]) : null;
}

/** A bundle that is refused as such is no finding in a text. */
function findingsExit(code: string, findings: readonly Diagnostic[]): ExitCode {
  const isRefused = code === 'REFUSED' && findings.every((d) => INTEGRITY.test(d.code));
  return isRefused || code === 'IMAGE' ? EXIT.integrity : EXIT.findings;
}

function sourcesOf(error: unknown): Pick<Result, 'sources'> {
  const value: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'sources') : null;
  return typeof value === 'function' ? { sources: value as (file: string) => string | null } : {};
}

function exitOf(code: string): ExitCode {
  if (INTEGRITY.test(code)) return EXIT.integrity;
  return UNSUPPORTED.includes(code) ? EXIT.unsupported : EXIT.failure;
}

/** Turns anything thrown into a result. Our own faults (BugError and unknown errors) show their stack on stderr. */
export function failureResult(error: unknown, env: Env): Result {
  if (isCliError(error)) {
    return {
      exit: error.exit,
      diagnostics: error.diagnostics,
      ...(error.sources === null ? {} : { sources: error.sources }),
    };
  }
  const code = codeOf(error);
  if (code !== null && code !== 'BUG') {
    const findings = findingsOf(error);
    if (findings !== null) {
      return { exit: findingsExit(code, findings), diagnostics: findings, ...sourcesOf(error) };
    }
    return { exit: exitOf(code), diagnostics: [worldFault(error, code)] };
  }
  if (error instanceof Error && error.stack !== undefined) env.stderr.write(`${error.stack}\n`);
  const message = messageOf(error);
  return {
    exit: EXIT.failure,
    diagnostics: [
      diagnostic('U021', `internal fault: ${message}`, {
        help: 'please report it together with the printed stack',
      }),
    ],
  };
}
