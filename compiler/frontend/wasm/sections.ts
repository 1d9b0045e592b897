/**
 * A module as a list of sections: enough to replace one section and leave the rest byte for byte.
 */
import { encodeName, encodeU32, MalformedWasm, Reader } from './leb.js';

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The order that the format asks of known sections. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export interface Section {
  readonly id: number;
  /** Of a custom section; null otherwise. */
  readonly name: string | null;
  /** Absolute offset of `bytes` in the module it was read from (0 for new ones). */
  readonly offset: number;
  /** The payload; without the name in custom sections. */
  readonly bytes: Uint8Array;
}

export interface WasmFault {
  readonly message: string;
  readonly offset: number;
}
export type WasmOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: WasmFault };

/** Runs a reading function and turns MalformedWasm into a value. */
export function guarded<T>(read: () => T): WasmOutcome<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof MalformedWasm)) throw error;
    return { ok: false, fault: { message: error.message, offset: error.offset } };
  }
}

/** Splits a module; the fault says why it is none. */
export function readSections(wasm: Uint8Array): WasmOutcome<Section[]> {
  return guarded(() => splitSections(wasm));
}

/** As readSections, but throws MalformedWasm. */
export function splitSections(wasm: Uint8Array): Section[] {
  const reader = new Reader(wasm);
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!magic.every((byte) => reader.u8() === byte)) reader.fail('not a WebAssembly 1.0 module');
  const sections: Section[] = [];
  let last = -1;
  while (!reader.done) {
    const id = reader.u8();
    const size = reader.u32();
    if (size > reader.end - reader.pos) reader.fail('section longer than the module');
    const end = reader.pos + size;
    let name: string | null = null;
    if (id === SECTION.custom) {
      const inner = new Reader(wasm, reader.pos, end);
      name = inner.name();
      reader.pos = inner.pos;
    } else {
      const place = SECTION_ORDER.indexOf(id);
      if (place < 0) reader.fail(`unknown section ${id}`);
      if (place <= last) reader.fail(`section ${id} out of order`);
      last = place;
    }
    sections.push({ id, name, offset: reader.pos, bytes: wasm.subarray(reader.pos, end) });
    reader.pos = end;
  }
  return sections;
}

/** Joins sections to a module. */
export function writeSections(sections: readonly Section[]): Uint8Array {
  const heads = sections.map((section) => {
    const name = section.name === null ? [] : encodeName(section.name);
    return [section.id, ...encodeU32(name.length + section.bytes.length), ...name];
  });
  const total = sections.reduce((n, s, i) => n + (heads[i]?.length ?? 0) + s.bytes.length, 8);
  const out = new Uint8Array(total);
  out.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  let pos = 8;
  sections.forEach((section, i) => {
    out.set(heads[i] ?? [], pos);
    pos += heads[i]?.length ?? 0;
    out.set(section.bytes, pos);
    pos += section.bytes.length;
  });
  return out;
}

/** Replaces the section of that id, or puts it where the format wants it. */
export function withSection(
  sections: readonly Section[],
  id: number,
  bytes: Uint8Array,
): Section[] {
  const made: Section = { id, name: null, offset: 0, bytes };
  if (sections.some((s) => s.id === id)) return sections.map((s) => (s.id === id ? made : s));
  const place = SECTION_ORDER.indexOf(id);
  const at = sections.findIndex((s) => s.id !== 0 && SECTION_ORDER.indexOf(s.id) > place);
  const index = at < 0 ? sections.length : at;
  return [...sections.slice(0, index), made, ...sections.slice(index)];
}
