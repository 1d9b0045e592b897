/**
 * The verifier's refusal of a program: one line that says why, the full log, and the source line of
 * the failing instruction where the kernel prints it (6.9 and newer print `; text @ file:line`).
 */
import { resolvePlace, type SourcePosition } from './line-info.js';

export interface VerifierErrorFields {
  readonly program: string;
  readonly log: string;
  /** The object file, whose line info completes the position. */
  readonly object?: Uint8Array;
  readonly cause?: unknown;
}

/** Thrown where the verifier refuses a program. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError';
  readonly code = 'KERNEL_VERIFIER';
  readonly program: string;
  readonly summary: string;
  readonly log: string;
  readonly position: SourcePosition | null;

  constructor(fields: VerifierErrorFields) {
    const summary = summarizeLog(fields.log);
    const source = sourcePosition(fields.log);
    const { program, object } = fields;
    const instruction = failingInstruction(fields.log);
    const position = object ? resolvePlace(object, { program, instruction, source }) : source;
    const at = position ? ` at ${position.file}:${position.line}` : '';
    super(`the verifier refused program \`${fields.program}\`${at}: ${summary}`, {
      cause: fields.cause,
    });
    this.program = fields.program;
    this.summary = summary;
    this.log = fields.log;
    this.position = position;
  }
}

/** True for a VerifierError, of this or another copy of this module. */
export function isVerifierError(value: unknown): value is VerifierError {
  return value instanceof Error && 'code' in value && value.code === 'KERNEL_VERIFIER';
}

// Statistics and markers that the kernel and libbpf put after the reason.
const TRAILER =
  /^(processed \d+ insns|verification time|stack depth|max_states|cur state:|old state:|-- (BEGIN|END) PROG LOAD LOG)/;
const INSTRUCTION = /^\d+: \([0-9a-f]{2}\) /;
const SOURCE = /^; ?(.*) @ (.+?):(\d+)$/;
// Reasons that name only a register, or continue the line before, need that line to be understood.
const NEEDS_CONTEXT =
  /^(\t|R\d+ |invalid |math between|misaligned|dereference|frame pointer|same insn)/;

/** The reason of a verifier log in one line, with the failing instruction where that helps. */
export function summarizeLog(log: string): string {
  const lines = reasonLines(log);
  const reason = lines.at(-1);
  if (reason === undefined) return 'the kernel gave no reason';
  const before = lines.at(-2);
  if (before !== undefined && NEEDS_CONTEXT.test(reason) && isUseful(before))
    return `${withoutState(before)}: ${reason.trim()}`;
  return withoutState(reason);
}

/** The line of a log that says why; null where it holds statistics alone, as after a verifier that was content. */
export function reasonOf(log: string): string | null {
  return reasonLines(log).at(-1) ?? null;
}

function reasonLines(log: string): readonly string[] {
  return log
    .replaceAll('\0', '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !TRAILER.test(line));
}

function isUseful(line: string): boolean {
  return INSTRUCTION.test(line) || !line.startsWith(';');
}

// `16: (71) r0 = *(u8 *)(r0 +0)   ; R0_w=scalar()` loses the register states.
function withoutState(line: string): string {
  return (INSTRUCTION.test(line) ? line.replace(/\s+;.*$/, '') : line).trim();
}

/** The index of the failing instruction in the loaded program; null where the log names none. */
export function failingInstruction(log: string): number | null {
  for (const line of log.split('\n').reverse()) {
    const match = /^(\d+): \([0-9a-f]{2}\) /.exec(line) ?? /^unreachable insn (\d+)/.exec(line);
    if (match) return Number(match[1]);
  }
  return null;
}

/** The last source line that the log mentions before it ends; null where it mentions none. */
export function sourcePosition(log: string): SourcePosition | null {
  for (const line of log.split('\n').reverse()) {
    const match = SOURCE.exec(line.trimEnd());
    if (match)
      return {
        file: match[2] ?? '',
        line: Number(match[3]),
        column: null,
        text: (match[1] ?? '').trim(),
      };
  }
  return null;
}
