/**
 * Diagnostics as text: the message, the place, the source line with a caret range, notes and help.
 * asc's findings and ours go through here, so they look alike. Pure: the caller hands in the source
 * text and decides about colour.
 */
import type { Diagnostic, Severity } from './diagnostic.js';

export interface RenderOptions {
  readonly color: boolean;
}

const CODE: Readonly<Record<Severity, string>> = { error: '31', warning: '33', info: '36' };

function paint(text: string, codes: string, color: boolean): string {
  return color ? `\u001b[${codes}m${text}\u001b[0m` : text;
}

/**
 * What a terminal would obey or reorder, made visible: texts of files and of users are shown here. C0 and C1
 * controls but the tab, and the bidirectional controls of Unicode (UAX #9, 2).
 */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (char) => (char === '\t' ? char : '\ufffd'));
}

/** A source line is shown whole up to this; of a longer one so much before the place, and so much in all. */
const WHOLE = 200;
const BEFORE = 60;
const SHOWN = 120;

/** The part of a line that is shown, and the finding moved with it. */
function excerpt(line: string, d: Diagnostic): { readonly text: string; readonly at: Diagnostic } {
  if (line.length <= WHOLE) return { text: harmless(line), at: d };
  const column = Math.min((d.column ?? 1) - 1, line.length);
  const from = Math.max(0, column - BEFORE);
  const until = Math.min(line.length, from + SHOWN);
  const before = from === 0 ? '' : '…';
  const text = `${before}${harmless(line.slice(from, until))}${until === line.length ? '' : '…'}`;
  const moved = (n: number | null): number | null =>
    n === null ? null : Math.min(n - from, SHOWN + 1) + before.length;
  return { text, at: { ...d, column: moved(d.column), endColumn: moved(d.endColumn) } };
}

/** Two cells for the scripts that terminals draw wide, so that carets stand under their text. */
function isWide(codePoint: number): boolean {
  return (
    (codePoint >= 0x1100 && codePoint <= 0x115f) ||
    (codePoint >= 0x2e80 && codePoint <= 0xa4cf) ||
    (codePoint >= 0xac00 && codePoint <= 0xd7a3) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0xfe30 && codePoint <= 0xfe6f) ||
    (codePoint >= 0xff00 && codePoint <= 0xff60) ||
    (codePoint >= 0x1f300 && codePoint <= 0x1faff)
  );
}

/** Blank of the same width as the text; tabs stay tabs, so any tab width lines up. */
function blank(text: string): string {
  return [...text]
    .map((char) => (char === '\t' ? '\t' : isWide(char.codePointAt(0) ?? 0) ? '  ' : ' '))
    .join('');
}

function carets(line: string, d: Diagnostic): string {
  const start = Math.min(Math.max((d.column ?? 1) - 1, 0), line.length);
  const sameLine = d.endLine === null || d.endLine === d.line;
  const end = sameLine ? (d.endColumn ?? start + 2) - 1 : line.length;
  const width = blank(line.slice(start, Math.min(end, line.length))).length;
  return blank(line.slice(0, start)) + '^'.repeat(Math.max(width, 1));
}

/** `file:line:column` as far as known; null where the finding has no place. */
function place(d: Diagnostic): string | null {
  if (d.file === null) return null;
  if (d.line === null) return d.file;
  return d.column === null ? `${d.file}:${d.line}` : `${d.file}:${d.line}:${d.column}`;
}

/** One diagnostic as lines of text, ending in a newline; `source` is the text of its file, if known. */
export function renderDiagnostic(
  d: Diagnostic,
  source: string | null,
  options: RenderOptions,
): string {
  const { color } = options;
  const head = paint(`${d.severity}[${d.code}]`, `1;${CODE[d.severity]}`, color);
  const lines = [`${head}: ${paint(harmless(d.message), '1', color)}`];
  const number = d.line === null ? '' : String(d.line);
  const gutter = ' '.repeat(number.length);
  const bar = paint('|', '2', color);
  const at = place(d);
  if (at !== null) lines.push(`${gutter}${paint('-->', '2', color)} ${harmless(at)}`);
  const text = d.line === null ? undefined : source?.split('\n')[d.line - 1]?.replace(/\r$/, '');
  if (text !== undefined && d.line !== null) {
    const shown = excerpt(text, d);
    lines.push(`${gutter} ${bar}`, `${paint(number, '2', color)} ${bar} ${shown.text}`);
    if (d.column !== null) {
      const marks = carets(shown.text, shown.at);
      lines.push(`${gutter} ${bar} ${paint(marks, CODE[d.severity], color)}`);
    }
  }
  for (const note of d.notes) lines.push(`${gutter} = note: ${harmless(note)}`);
  if (d.help !== null) lines.push(`${gutter} = help: ${harmless(d.help)}`);
  return `${lines.join('\n')}\n`;
}

function count(n: number, noun: string): string | null {
  return n === 0 ? null : `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** `2 errors, 1 warning`; `no findings` for an empty list. */
export function summarize(diagnostics: readonly Diagnostic[]): string {
  const of = (severity: Severity): number =>
    diagnostics.filter((d) => d.severity === severity).length;
  const parts = [
    count(of('error'), 'error'),
    count(of('warning'), 'warning'),
    count(of('info'), 'note'),
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'no findings' : parts.join(', ');
}
