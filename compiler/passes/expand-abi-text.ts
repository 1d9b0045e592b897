/** Reads AssemblyScript strings out of a snapshot of linear memory. */

/** Bytes before a managed object: ... rtId u32 at -8, rtSize u32 at -4 (AssemblyScript runtime). */
const RT_ID = -8;
const RT_SIZE = -4;
/** Class id of String, fixed by AssemblyScript's standard library (std/assembly/shared/typeinfo). */
const STRING_ID = 2;

/** The string at an address; null where no string lies there. */
export function readText(memory: Uint8Array, address: number): string | null {
  if (address + RT_ID < 0 || address > memory.length) return null;
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  if (view.getUint32(address + RT_ID, true) !== STRING_ID) return null;
  const size = view.getUint32(address + RT_SIZE, true);
  if (size % 2 !== 0 || address + size > memory.length) return null;
  return new TextDecoder('utf-16le', { ignoreBOM: true }).decode(
    memory.subarray(address, address + size),
  );
}
