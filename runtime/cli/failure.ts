/**
 * What went wrong in the world (files, kernel) as a result: one diagnostic, exit 1. Errors are told
 * apart by `code`, never by class, since the program is bundled.
 */
import { type Diagnostic, diagnostic } from '../../compiler/diagnostic/index.js';
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

/** Errors of the kernel door and the agent bring `diagnostic`, or a code and a message of their own. */
function worldFault(error: unknown, code: string): Diagnostic {
  const message = error instanceof Error ? error.message : String(error);
  const help = textField(error, 'remedy') ?? textField(error, 'help');
  const notes = [textField(error, 'summary')].filter((n) => n !== null && !message.includes(n));
  const at: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'diagnostic') : null;
  if (typeof at === 'object' && at !== null && 'severity' in at) return at as Diagnostic;
  const known = /^[A-Z]\d{3}$/.test(code) ? code : faultCode(code);
  return diagnostic(known, message, { help, notes: notes.filter((n) => n !== null) });
}

function faultCode(code: string): string {
  if (/^E[A-Z]+$/.test(code)) return 'U010';
  if (code.startsWith('KERNEL')) return 'K001';
  if (code.startsWith('VERIFIER')) return 'K002';
  return 'U021';
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
    const exit = code.startsWith('NOT_SUPPORTED') ? EXIT.unsupported : EXIT.failure;
    return { exit, diagnostics: [worldFault(error, code)] };
  }
  if (error instanceof Error && error.stack !== undefined) env.stderr.write(`${error.stack}\n`);
  const message = error instanceof Error ? error.message : String(error);
  return {
    exit: EXIT.failure,
    diagnostics: [
      diagnostic('U021', `internal fault: ${message}`, {
        help: 'please report it together with the printed stack',
      }),
    ],
  };
}
