/** Makes every global of a module visible from outside, by rewriting its export section. */

import { BugError } from '../../compiler/diagnostic/index.js';
import {
  encodeName,
  encodeU32,
  readModule,
  SECTION,
  type Section,
  splitSections,
  withSection,
  writeSections,
} from '../../compiler/frontend/index.js';

/** Global n is exported under this and n; no policy can export such a name. */
export const GLOBAL_PREFIX = '\u0000global ';

export interface OpenModule {
  readonly wasm: Uint8Array;
  /** Types of the defined globals, in index order. */
  readonly types: readonly string[];
  /** How much further behind code lies than in the given module. */
  readonly shift: number;
}

function codeOffset(sections: readonly Section[]): number {
  return sections.find((section) => section.id === SECTION.code)?.offset ?? 0;
}

export function exportGlobals(wasm: Uint8Array): OpenModule {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`snapshot: ${read.fault.message} at ${read.fault.offset}`);
  const { exports, globals, importedGlobals } = read.value;
  const kinds = { func: 0, table: 1, memory: 2, global: 3 };
  const items = exports.map((e) => [...encodeName(e.name), kinds[e.kind], ...encodeU32(e.index)]);
  globals.forEach((_, i) => {
    items.push([...encodeName(GLOBAL_PREFIX + i), kinds.global, ...encodeU32(importedGlobals + i)]);
  });
  const bytes = Uint8Array.from([...encodeU32(items.length), ...items.flat()]);
  const sections = splitSections(wasm);
  const open = writeSections(withSection(sections, SECTION.export, bytes));
  const shift = codeOffset(splitSections(open)) - codeOffset(sections);
  return { wasm: open, types: globals.map((global) => global.type), shift };
}
