/** An object of a bundle that no verifier accepts: in its last function, which the hooks call, one instruction is none. */

const [SECTIONS, ENTRY_BYTES, COUNT] = [0x28, 0x3a, 0x3c]; // e_shoff, e_shentsize, e_shnum of ELF64
const [OFFSET, SIZE] = [0x18, 0x20]; // sh_offset, sh_size
const TEXT = 64;
const INSTRUCTION = 8;

/** A copy with an unknown opcode; throws where the object has no code behind its header. */
export function breakObject(object: Uint8Array): Uint8Array {
  const broken = object.slice();
  const view = new DataView(broken.buffer);
  const from = Number(view.getBigUint64(SECTIONS, true));
  for (let i = 0; i < view.getUint16(COUNT, true); i += 1) {
    const at = from + i * view.getUint16(ENTRY_BYTES, true);
    const size = Number(view.getBigUint64(at + SIZE, true));
    if (Number(view.getBigUint64(at + OFFSET, true)) !== TEXT || size < 2 * INSTRUCTION) continue;
    // The one before the exit, whose lack would be told first.
    broken[TEXT + size - 2 * INSTRUCTION] = 0xff;
    return broken;
  }
  throw new Error('the object has no code behind its header');
}
