export type { FuncType, ValueType, WasmBody, WasmInstr } from './decode-code.js';
export { encodeName, encodeSigned, encodeU32, MalformedWasm, Reader } from './leb.js';
export {
  readModule,
  type WasmData,
  type WasmExport,
  type WasmGlobal,
  type WasmImport,
  type WasmModule,
} from './read-module.js';
export {
  readSections,
  SECTION,
  type Section,
  splitSections,
  type WasmFault,
  type WasmOutcome,
  withSection,
  writeSections,
} from './sections.js';
