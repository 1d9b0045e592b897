/**
 * Pass prune-memory
 * Reads    the module and its state after the configure phase
 * Writes   memory that only the configure phase used (the registry, keys of tables, garbage) as zeros
 * Refuses  nothing
 * Keeps    all of memory where a living function loads from it; else every text that a constant or a
 *          global of living functions points at, since engines read texts by such addresses only
 */
import type { Snapshot } from './types.js';
import type { WasmModule } from './wasm/index.js';

/** AssemblyScript puts this many bytes of header before an object; the last word is its length. */
const HEADER = 20;

function readsMemory(op: string): boolean {
  return /\.load/.test(op) || op.startsWith('memory.copy');
}

/** Zeroes what no living function can reach; `living` holds function indices. */
export function pruneMemory(
  module: WasmModule,
  snapshot: Snapshot,
  living: ReadonlySet<number>,
): Snapshot {
  const pointers = new Set<number>();
  for (const [i, body] of module.bodies.entries()) {
    if (!living.has(module.importedFunctions + i)) continue;
    for (const instr of body.instrs) {
      if (readsMemory(instr.op)) return snapshot;
      if (instr.op === 'i32.const') pointers.add(Number(instr.value));
      if (instr.op === 'global.get') {
        const value = snapshot.globals[instr.index - module.importedGlobals] ?? 0n;
        pointers.add(Number(BigInt.asUintN(32, value)));
      }
    }
  }
  const from = snapshot.memory;
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  const memory = new Uint8Array(from.length);
  for (const pointer of pointers) {
    if (pointer < HEADER || pointer > from.length) continue;
    const end = pointer + view.getUint32(pointer - 4, true);
    if (end > from.length) continue; // no object
    memory.set(from.subarray(pointer - HEADER, end), pointer - HEADER);
  }
  return { memory, globals: snapshot.globals };
}
