/** What is wrong once is told once: of asc's findings those go that follow from others. */
import { type Diagnostic, hasErrors } from '../diagnostic/index.js';
import { isTextCase, isUnexplained } from './remedies.js';

/** The note of a finding inside of a library; its place is that of the policy. */
export const LIBRARY_NOTE = 'found in';

type Echo = (d: Diagnostic, i: number, all: readonly Diagnostic[]) => boolean;

function order(a: Diagnostic, b: Diagnostic): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
function isSamePlace(a: Diagnostic, b: Diagnostic): boolean {
  return a.file === b.file && order(a, b) === 0;
}
function isWithin(inner: Diagnostic, outer: Diagnostic): boolean {
  const { endLine, endColumn } = outer;
  if (inner.file !== outer.file || order(inner, outer) < 0 || endColumn === null) return false;
  return (inner.line ?? 0) * 1e6 + (inner.column ?? 0) < (endLine ?? 0) * 1e6 + endColumn;
}

const ECHOES: readonly Echo[] = [
  // Errors inside the SDK follow from the policy's own.
  (d) => d.notes.some((note) => note.startsWith(LIBRARY_NOTE)),
  // `auto` is the type of what could not be compiled.
  (d) => /^TS23[23]9$/.test(d.code) && d.message.endsWith('type `auto`'),
  // What a closure takes from around it has no value within.
  (d, _, all) =>
    d.code === 'TS2454' &&
    all.some((o) => o.message === 'not implemented: Closures' && isSamePlace(o, d)),
  // A text for a part of a request, which is then compared as such.
  (d, i, all) =>
    d.message.endsWith('to type `Incomparable`') &&
    all.slice(0, i).some((o) => o.code === 'TS2322' && isSamePlace(o, d)),
  // The value of an expression with a member that is not there.
  (d, _, all) => d.code === 'TS2322' && all.some((o) => o.code === 'TS2339' && isWithin(o, d)),
  // Arguments of a declaration that is not possible where it stands.
  (d, _, all) =>
    /^TS2/.test(d.code) && all.some((o) => o.code === 'P103' && o !== d && isWithin(d, o)),
  // What the SDK tells of a declaration that was refused before.
  (d, _, all) => d.code === 'AS102' && all.some((o) => o.code.startsWith('P') && isWithin(o, d)),
  // Several places of a library that one call leads to.
  (d, i, all) =>
    all.slice(0, i).some((o) => o.code === d.code && o.message === d.message && isSamePlace(o, d)),
  // Of a switch over texts one case says it.
  (d, i, all) => isTextCase(d) && all.slice(0, i).some((o) => isTextCase(o) && o.file === d.file),
  // Where the parser goes on behind something that it does not know, it is lost.
  (d, i, all) =>
    /^TS1/.test(d.code) &&
    all
      .slice(0, i)
      .some(
        (o) =>
          /^TS1/.test(o.code) &&
          !isUnexplained(o) &&
          (isSamePlace(o, d) || (isUnexplained(d) && o.file === d.file)),
      ),
];

/** The findings without those that follow from others; all where no error would be left. */
export function withoutEchoes(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const own = found.filter((d, i) => !ECHOES.some((isEcho) => isEcho(d, i, found)));
  return hasErrors(own) ? own : found;
}
