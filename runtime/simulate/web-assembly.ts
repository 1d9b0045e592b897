import { DEPTH_EXPORT, STATE_EXPORT } from '../../compiler/abi/index.js';

/** The part of the WebAssembly JavaScript API that is used: its types stand in lib.dom, not in node's. */
export interface WasmGlobal {
  value: number | bigint;
}
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
export interface WasmTable {
  readonly length: number;
  grow(count: number): number;
  set(at: number, found: object): void;
}
export type WasmExports = Readonly<Record<string, unknown>>;

interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly { readonly name: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: WasmExports };
  readonly Global: new (type: { value: string; mutable: boolean }, value: number) => WasmGlobal;
  readonly Memory: new (size: { initial: number }) => WasmMemory;
}

const api: WebAssemblyApi = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Whether a module imports a function of that name. */
export function importsName(bytes: Uint8Array, name: string): boolean {
  return api.Module.imports(new api.Module(bytes)).some((found) => found.name === name);
}

/** Compiles and starts a module in this thread; throws what V8 throws. */
export function startModule(bytes: Uint8Array, imports: object): WasmExports {
  return new api.Instance(new api.Module(bytes), imports).exports;
}

/** The exported global of a name, if it is one. */
export function exportedGlobal(exports: WasmExports, name: string): WasmGlobal | null {
  const found = exports[name];
  return found instanceof api.Global ? found : null;
}

/**
 * A function that sets a module back to how it is now: globals exported as `state:…`, and memory. Null
 * where there are none, since then nothing that the module does outlives a call.
 */
export function resetter(
  names: readonly string[],
  globalOf: (name: string) => WasmGlobal | null,
  memory: WasmMemory | null,
): (() => void) | null {
  const globals = names
    .filter((name) => name.startsWith(STATE_EXPORT))
    .flatMap((name) => globalOf(name) ?? [])
    .map((global) => ({ global, value: global.value }));
  if (globals.length === 0) return null;
  // The depth of recursion says nothing of memory.
  const isWritten = names.some((name) => name.startsWith(STATE_EXPORT) && name !== DEPTH_EXPORT);
  const before = memory === null || !isWritten ? null : new Uint8Array(memory.buffer.slice(0));
  return () => {
    // What was not assigned may be immutable.
    for (const { global, value } of globals) if (global.value !== value) global.value = value;
    if (memory !== null && before !== null) new Uint8Array(memory.buffer).set(before);
  };
}

/** The exported memory of a name, if it is one. */
export function exportedMemory(exports: WasmExports, name: string): WasmMemory | null {
  const found = exports[name];
  return found instanceof api.Memory ? found : null;
}
