/**
 * Looks up a source line in an object's line info (.BTF.ext), to complete what the verifier's log
 * says: it prints the base name of the file and no column. Layout: the kernel's
 * Documentation/bpf/btf.rst, ".BTF.ext section", and the ELF64 headers.
 */
import { basename } from 'node:path';

const SECTION_HEADER_BYTES = 64;
const LINE_COLUMN_BITS = 10;

interface Line {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The path and the column of a line; the column is null where instructions of several lie on it. */
export function findLine(
  object: Uint8Array,
  file: string,
  line: number,
): { readonly file: string; readonly column: number | null } | null {
  const found = readLines(object).filter(
    (entry) => entry.line === line && basename(entry.file) === basename(file),
  );
  const first = found[0];
  if (!first) return null;
  const isUnique = found.every(
    (entry) => entry.column === first.column && entry.file === first.file,
  );
  return { file: first.file, column: isUnique && first.column > 0 ? first.column : null };
}

function readLines(object: Uint8Array): readonly Line[] {
  const sections = readSections(object);
  const btf = sections.get('.BTF');
  const ext = sections.get('.BTF.ext');
  if (!btf || !ext) return [];
  const btfView = viewOf(btf);
  const strings = btf.subarray(btfView.getUint32(4, true) + btfView.getUint32(16, true));
  const view = viewOf(ext);
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  const end = start + view.getUint32(20, true);
  const recordBytes = view.getUint32(start, true);
  const lines: Line[] = [];
  for (let at = start + 4; at + 8 <= end; ) {
    const count = view.getUint32(at + 4, true);
    at += 8;
    for (let index = 0; index < count; index++, at += recordBytes) {
      const position = view.getUint32(at + 12, true);
      lines.push({
        file: textAt(strings, view.getUint32(at + 4, true)),
        line: position >>> LINE_COLUMN_BITS,
        column: position & ((1 << LINE_COLUMN_BITS) - 1),
      });
    }
  }
  return lines;
}

function readSections(object: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = viewOf(object);
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (index: number): number => table + index * SECTION_HEADER_BYTES;
  const body = (index: number): Uint8Array => {
    const offset = Number(view.getBigUint64(header(index) + 24, true));
    return object.subarray(offset, offset + Number(view.getBigUint64(header(index) + 32, true)));
  };
  const names = body(view.getUint16(62, true));
  const sections = new Map<string, Uint8Array>();
  for (let index = 1; index < count; index++)
    sections.set(textAt(names, view.getUint32(header(index), true)), body(index));
  return sections;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array, offset: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, bytes.indexOf(0, offset)));
}
