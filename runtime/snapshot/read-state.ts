/** State of a module that a snapshot tool wrote: initial memory and globals. */

import { BugError } from '../../compiler/diagnostic/index.js';
import { readModule, type Snapshot } from '../../compiler/frontend/index.js';

const PAGE = 65_536;

/** Reads memory and globals out of a module whose initialisers are all constant. */
export function readState(wasm: Uint8Array): Snapshot {
  const read = readModule(wasm);
  if (!read.ok) throw new BugError(`snapshot: ${read.fault.message} at ${read.fault.offset}`);
  const module = read.value;
  const memory = new Uint8Array((module.memory?.min ?? 0) * PAGE);
  for (const { at, bytes } of module.data) if (at !== null) memory.set(bytes, at);
  return { memory, globals: module.globals.map((global) => global.init ?? 0n) };
}
