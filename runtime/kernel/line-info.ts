/**
 * Looks up source positions in an object's line info (.BTF.ext), to complete what the verifier's
 * log says: it prints the base name of the file, no column, and on some refusals no source at all.
 * Layout: the kernel's Documentation/bpf/btf.rst, ".BTF.ext section".
 */
import { basename } from 'node:path';
import { findFunction, readSections, type Section, textAt } from './object-file.js';
import { viewOf } from './view-of.js';

const INSTRUCTION_BYTES = 8;
const LINE_COLUMN_BITS = 10;

export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  /** 1-based; null where instructions of several columns lie on the line. */
  readonly column: number | null;
  readonly text: string;
}

interface Line {
  readonly section: string;
  readonly offset: number; // bytes into the section
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface FailingPlace {
  readonly program: string;
  /** Index in the loaded program, or null where the log names none. */
  readonly instruction: number | null;
  /** What the log prints, or null where it prints no source. */
  readonly source: SourcePosition | null;
}

/** The best position of a failing place; what the log says wins over what the index says. */
export function resolvePlace(object: Uint8Array, place: FailingPlace): SourcePosition | null {
  const sections = readSections(object);
  const lines = readLines(sections);
  const exact = lineOfInstruction(sections, lines, place);
  const { source } = place;
  if (!source) return exact && position(exact, exact.column);
  const isSame = (entry: Line): boolean =>
    entry.line === source.line && basename(entry.file) === basename(source.file);
  if (exact && isSame(exact)) return position(exact, exact.column);
  const [first, ...others] = lines.filter(isSame);
  if (!first) return source;
  const isUnique = others.every((entry) => entry.column === first.column);
  return { ...position(first, isUnique ? first.column : 0), text: source.text };
}

function position(line: Line, column: number): SourcePosition {
  return { file: line.file, line: line.line, column: column || null, text: line.text.trim() };
}

// libbpf appends called functions behind the program: only indexes within the program itself are sure.
function lineOfInstruction(
  sections: ReadonlyMap<string, Section>,
  lines: readonly Line[],
  place: FailingPlace,
): Line | null {
  const symbol = findFunction(sections, place.program);
  if (place.instruction === null || !symbol) return null;
  const at = place.instruction * INSTRUCTION_BYTES;
  if (at >= symbol.size) return null;
  const section = [...sections].find(([, each]) => each.index === symbol.section)?.[0];
  const before = lines.filter(
    (line) =>
      line.section === section && line.offset >= symbol.offset && line.offset <= symbol.offset + at,
  );
  return before.at(-1) ?? null;
}

function readLines(sections: ReadonlyMap<string, Section>): readonly Line[] {
  const btf = sections.get('.BTF')?.bytes;
  const ext = sections.get('.BTF.ext')?.bytes;
  if (!btf || !ext) return [];
  const btfView = viewOf(btf);
  const strings = btf.subarray(btfView.getUint32(4, true) + btfView.getUint32(16, true));
  const view = viewOf(ext);
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  const end = start + view.getUint32(20, true);
  const recordBytes = view.getUint32(start, true);
  const lines: Line[] = [];
  for (let at = start + 4; at + 8 <= end; ) {
    const section = textAt(strings, view.getUint32(at, true));
    const count = view.getUint32(at + 4, true);
    at += 8;
    for (let index = 0; index < count; index++, at += recordBytes) {
      const place = view.getUint32(at + 12, true);
      lines.push({
        section,
        offset: view.getUint32(at, true),
        file: textAt(strings, view.getUint32(at + 4, true)),
        text: textAt(strings, view.getUint32(at + 8, true)),
        line: place >>> LINE_COLUMN_BITS,
        column: place & ((1 << LINE_COLUMN_BITS) - 1),
      });
    }
  }
  return lines;
}
