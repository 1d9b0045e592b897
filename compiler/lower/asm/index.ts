/** The assembler: instruction values, their bytes and their text. */
export { type Decoded, decode } from './decode.js';
export { type Code, type Encoded, encode, type Relocation, slotsOf } from './encode.js';
export * from './insn.js';
export { printCode, printInsn, printTest } from './print.js';
export {
  CALL_CLOBBERED,
  copyOf,
  defsOf,
  renameInsn,
  renameTest,
  testUses,
  usesOf,
} from './registers.js';
