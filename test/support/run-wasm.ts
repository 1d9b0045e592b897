/** V8's WebAssembly for tests, typed as far as they use it (the ES library does not declare it). */
import binaryen from 'binaryen';

export interface WasmGlobalCell {
  value: number;
}
type Exports = Readonly<Record<string, unknown>>;
interface Api {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Exports };
}

/** Assembles text with binaryen, unoptimised. */
export function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** Instantiates a module whose imports all come from "weft". */
export function instantiate(
  wasm: Uint8Array,
  weft: Readonly<Record<string, (...args: never[]) => unknown>>,
): Exports {
  const api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
  return new api.Instance(new api.Module(wasm), { weft }).exports;
}
