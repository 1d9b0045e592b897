/**
 * Adds to a module, for each exported function of integers, one more function that an entry can be made
 * of: it takes the same parameters and the number of a word, and returns that word of the results
 * (an i64 has two, the lower first), 0 for word 0. Memory and globals are exported, so that their state can be read.
 */
import {
  encodeName,
  encodeU32,
  type FuncType,
  Reader,
  readModule,
  SECTION,
  type Section,
  splitSections,
  type WasmModule,
  withSection,
  writeSections,
} from '../../compiler/frontend/wasm/index.js';
import type { ConstType } from './read-script.js';

export interface Wrapper {
  /** Index of the added function. */
  readonly index: number;
  readonly params: readonly ConstType[];
  readonly results: readonly ConstType[];
}
export interface Wrapped {
  readonly wasm: Uint8Array;
  readonly wrappers: ReadonlyMap<string, Wrapper>;
}

export const MEMORY_EXPORT = 'weft:memory';
export const globalExport = (index: number): string => `weft:global:${index}`;

const CODE = { i32: 0x7f, i64: 0x7e } as const;

function integers(types: FuncType['params']): ConstType[] | null {
  return types.every((type) => type === 'i32' || type === 'i64') ? (types as ConstType[]) : null;
}

/** A section's vector with more items behind it. */
function extend(sections: readonly Section[], id: number, items: readonly number[][]): Section[] {
  const bytes = sections.find((s) => s.id === id)?.bytes ?? Uint8Array.of(0);
  const reader = new Reader(bytes);
  const count = reader.u32() + items.length;
  const all = [...encodeU32(count), ...bytes.subarray(reader.pos), ...items.flat()];
  return withSection(sections, id, Uint8Array.from(all));
}

function body(
  callee: number,
  params: readonly ConstType[],
  results: readonly ConstType[],
): number[] {
  const part = params.length;
  const local = (i: number): number[] => encodeU32(part + 1 + i);
  const code: number[] = [...encodeU32(results.length)];
  for (const type of results) code.push(1, CODE[type]);
  for (let i = 0; i < params.length; i++) code.push(0x20, ...encodeU32(i));
  code.push(0x10, ...encodeU32(callee));
  for (let i = results.length - 1; i >= 0; i--) code.push(0x21, ...local(i));
  let word = 0;
  results.forEach((type, i) => {
    for (const shift of type === 'i64' ? [0, 32] : [0]) {
      word += 1;
      code.push(0x20, ...encodeU32(part), 0x41, ...encodeU32(word), 0x46, 0x04, 0x40);
      code.push(0x20, ...local(i));
      if (type === 'i64') code.push(0x42, shift, 0x88, 0xa7);
      code.push(0x0f, 0x0b);
    }
  });
  code.push(0x41, 0, 0x0b);
  return [...encodeU32(code.length), ...code];
}

function stateExports(module: WasmModule): number[][] {
  const items = module.globals.flatMap((global, i) => {
    if (global.type !== 'i32' && global.type !== 'i64') return [];
    return [[...encodeName(globalExport(i)), 3, ...encodeU32(module.importedGlobals + i)]];
  });
  if (module.memory !== null) items.push([...encodeName(MEMORY_EXPORT), 2, 0]);
  return items;
}

/** Wraps the exported functions; throws where the module cannot be read. */
export function wrapModule(wasm: Uint8Array): Wrapped {
  const read = readModule(wasm);
  if (!read.ok) throw new Error(read.fault.message);
  const module = read.value;
  const wrappers = new Map<string, Wrapper>();
  const types: number[][] = [];
  const functions: number[][] = [];
  const bodies: number[][] = [];
  for (const { name, kind, index } of module.exports) {
    const type = kind === 'func' ? module.functions[index] : undefined;
    const params = type && integers(type.params);
    const results = type && integers(type.results);
    if (!params || !results) continue;
    wrappers.set(name, { index: module.functions.length + functions.length, params, results });
    functions.push(encodeU32(module.types.length + types.length));
    const codes = [...params.map((p) => CODE[p]), CODE.i32];
    types.push([0x60, ...encodeU32(codes.length), ...codes, 1, CODE.i32]);
    bodies.push(body(index, params, results));
  }
  let sections = splitSections(wasm);
  sections = extend(sections, SECTION.type, types);
  sections = extend(sections, SECTION.function, functions);
  sections = extend(sections, SECTION.export, stateExports(module));
  sections = extend(sections, SECTION.code, bodies);
  return { wasm: writeSections(sections), wrappers };
}
