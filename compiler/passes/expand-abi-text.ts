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
  // Not by TextDecoder, which would put U+FFFD, a text that an attribute can have, for half a pair.
  let text = '';
  for (let at = address; at < address + size; at += 2) {
    text += String.fromCharCode(view.getUint16(at, true));
  }
  return text;
}
