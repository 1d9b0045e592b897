/**
 * Finds what a decision may write without writing a static: the memory behind what the configure phase
 * allocated, and the globals by which AssemblyScript's runtime keeps its place there.
 */
import type { Scratch, Snapshot } from './types.js';
import { Reader, splitSections, type WasmModule } from './wasm/index.js';

/** The allocator's next free address. */
const HEAP = '~lib/rt/stub/offset';
/** Set before each call of a function with optional parameters. */
const ARGUMENTS = '~argumentsLength';
const GLOBAL_NAMES = 7;

/** Names of globals by index, from the name section. */
function globalNames(wasm: Uint8Array): Map<string, number> {
  const names = new Map<string, number>();
  for (const section of splitSections(wasm)) {
    if (section.name !== 'name') continue;
    const reader = new Reader(section.bytes);
    while (!reader.done) {
      const id = reader.u8();
      const inner = new Reader(reader.take(reader.u32()));
      if (id !== GLOBAL_NAMES) continue;
      for (let n = inner.count(2); n > 0; n--) {
        const index = inner.u32();
        names.set(inner.name(), index);
      }
    }
  }
  return names;
}

/** The scratch of a module as asc wrote it; null where it has no allocator. */
export function findScratch(
  wasm: Uint8Array,
  module: WasmModule,
  snapshot: Snapshot,
): Scratch | null {
  const names = globalNames(wasm);
  const heap = names.get(HEAP);
  const from = heap === undefined ? undefined : snapshot.globals[heap - module.importedGlobals];
  if (heap === undefined || from === undefined) return null;
  const other = names.get(ARGUMENTS);
  return { globals: other === undefined ? [heap] : [heap, other], from: Number(from) };
}
