/**
 * Refusals at the places where the policy wrote what is refused. asc moves and joins code when it optimizes, and what
 * it made of `counts[kind]++` may stand at the loop's counter; where it does nothing, each instruction stands where
 * it was written. What is refused is said by the code that would run: only its places are taken from the other.
 */
import type { Diagnostic } from './diagnostic/index.js';

/** What decisions may not do, found in their code. */
const MOVED: ReadonlySet<string> = new Set(['I101', 'I102', 'I103', 'I104', 'I105']);

/** True where a finding may stand at another place than what it is about. */
export function mayBeMoved(found: readonly Diagnostic[]): boolean {
  return found.some(({ code }) => MOVED.has(code));
}

/** `found` at the places of the findings of the code as it was written, each once, in order. */
export function moveRefusals(
  found: readonly Diagnostic[],
  asWritten: readonly Diagnostic[],
): Diagnostic[] {
  const moved = found.map((one) => {
    const { file, line, column, endLine, endColumn } = nearest(one, asWritten) ?? one;
    return { ...one, file, line, column, endLine, endColumn };
  });
  const seen = new Set<string>();
  return moved
    .filter(({ code, file, line }) => {
      const key = `${code} ${file}:${line}`;
      return !MOVED.has(code) || (!seen.has(key) && seen.add(key));
    })
    .sort((a, b) => (a.file === b.file ? compare(a, b) : 0));
}

function compare(a: Diagnostic, b: Diagnostic): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** The last finding of the same kind up to the place of one, else the next behind it. */
function nearest(one: Diagnostic, asWritten: readonly Diagnostic[]): Diagnostic | null {
  if (!MOVED.has(one.code)) return null;
  const same = asWritten
    .filter(({ code, file, line }) => code === one.code && file !== null && line !== null)
    .filter(({ file }) => one.file === null || file === one.file)
    .sort(compare);
  const before = same.filter((other) => compare(other, one) <= 0);
  return before.at(-1) ?? same[0] ?? null;
}
