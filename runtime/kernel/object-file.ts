/**
 * Reads sections and symbols of an ELF64 object file. For completing error reports only: it expects
 * a file that libbpf has already taken.
 */
import { viewOf } from './view-of.js';

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

export interface Section {
  readonly index: number;
  /** The section that this one refers to: a symbol table's strings. */
  readonly link: number;
  readonly bytes: Uint8Array;
}
export interface FunctionSymbol {
  readonly section: number;
  readonly offset: number;
  readonly size: number;
}

/** Sections by name. */
export function readSections(object: Uint8Array): ReadonlyMap<string, Section> {
  const view = viewOf(object);
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (index: number): number => table + index * SECTION_HEADER_BYTES;
  const body = (index: number): Uint8Array => {
    const offset = Number(view.getBigUint64(header(index) + 24, true));
    return object.subarray(offset, offset + Number(view.getBigUint64(header(index) + 32, true)));
  };
  const names = body(view.getUint16(62, true));
  const sections = new Map<string, Section>();
  for (let index = 1; index < count; index++)
    sections.set(textAt(names, view.getUint32(header(index), true)), {
      index,
      link: view.getUint32(header(index) + 40, true),
      bytes: body(index),
    });
  return sections;
}

/** Where a function lies, or null where the object has no such symbol. */
export function findFunction(
  sections: ReadonlyMap<string, Section>,
  name: string,
): FunctionSymbol | null {
  const symbols = sections.get('.symtab');
  const names = [...sections.values()].find((each) => each.index === symbols?.link)?.bytes;
  if (!symbols || !names) return null;
  const table = symbols.bytes;
  const view = viewOf(table);
  for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
    if (textAt(names, view.getUint32(at, true)) !== name) continue;
    return {
      section: view.getUint16(at + 6, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      size: Number(view.getBigUint64(at + 16, true)),
    };
  }
  return null;
}

/** The zero-ended text at an offset. */
export function textAt(bytes: Uint8Array, offset: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, bytes.indexOf(0, offset)));
}
