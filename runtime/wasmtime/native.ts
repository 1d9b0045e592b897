/**
 * Wasmtime's C API through koffi: the functions that are used, with pointers as bigint, and calls that fail
 * as errors. Structs of the API (wasmtime_func_t and the like) are passed on as they come, never read.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { WasmtimeError } from './wasmtime-error.js';

type Pointer = bigint | null;

/** As in wasmtime/*.h, by our names. */
const FUNCTIONS = {
  config_new: 'void *wasm_config_new()',
  config_signals: 'void wasmtime_config_signals_based_traps_set(void *, bool)',
  config_parallel: 'void wasmtime_config_parallel_compilation_set(void *, bool)',
  config_stack: 'void wasmtime_config_max_wasm_stack_set(void *, size_t)',
  config_reservation: 'void wasmtime_config_memory_reservation_set(void *, uint64_t)',
  config_guard: 'void wasmtime_config_memory_guard_size_set(void *, uint64_t)',
  config_fuel: 'void wasmtime_config_consume_fuel_set(void *, bool)',
  engine_new: 'void *wasm_engine_new_with_config(void *)',
  store_new: 'void *wasmtime_store_new(void *, void *, void *)',
  store_context: 'void *wasmtime_store_context(void *)',
  set_fuel: 'void *wasmtime_context_set_fuel(void *, uint64_t)',
  store_delete: 'void wasmtime_store_delete(void *)',
  module_new: 'void *wasmtime_module_new(void *, void *, size_t, void *)',
  module_delete: 'void wasmtime_module_delete(void *)',
  linker_new: 'void *wasmtime_linker_new(void *)',
  linker_delete: 'void wasmtime_linker_delete(void *)',
  linker_function:
    'void *wasmtime_linker_define_func_unchecked(void *, const char *, size_t, const char *, size_t, void *, void *, intptr_t, void *)',
  linker_instance:
    'void *wasmtime_linker_define_instance(void *, void *, const char *, size_t, void *)',
  linker_instantiate: 'void *wasmtime_linker_instantiate(void *, void *, void *, void *, void *)',
  functype_new: 'void *wasm_functype_new(void *, void *)',
  functype_delete: 'void wasm_functype_delete(void *)',
  export_get: 'bool wasmtime_instance_export_get(void *, void *, const char *, size_t, void *)',
  export_nth: 'bool wasmtime_instance_export_nth(void *, void *, size_t, void *, void *, void *)',
  call: 'void *wasmtime_func_call_unchecked(void *, void *, void *, size_t, void *)',
  memory_data: 'void *wasmtime_memory_data(void *, void *)',
  memory_size: 'size_t wasmtime_memory_data_size(void *, void *)',
  global_get: 'void wasmtime_global_get(void *, void *, void *)',
  global_set: 'void *wasmtime_global_set(void *, void *, void *)',
  trap_new: 'void *wasmtime_trap_new(const char *, size_t)',
  trap_message: 'void wasm_trap_message(void *, void *)',
  trap_delete: 'void wasm_trap_delete(void *)',
  error_message: 'void wasmtime_error_message(void *, void *)',
  error_delete: 'void wasmtime_error_delete(void *)',
  bytes_delete: 'void wasm_byte_vec_delete(void *)',
} as const;

/** What they take and give: buffers made by `stable`, addresses, numbers. */
type Operand = Pointer | Uint8Array | string | number | boolean;
export type Functions = Readonly<
  Record<keyof typeof FUNCTIONS, (...operands: Operand[]) => Pointer>
>;

export interface Native {
  readonly functions: Functions;
  /** Native memory as a live view. */
  view(pointer: bigint, length: number): ArrayBuffer;
  /** A function that C may call with one number; it answers with a pointer. It lives as long as the thread. */
  callback(call: (which: number) => Pointer): bigint;
}

/** Memory whose address never changes (small typed arrays may live on V8's moving heap). */
export function stable(length: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(length));
}

/** As an operand. */
export function bytesOf(memory: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(memory.buffer);
}

/** Binds a library; throws WasmtimeError where it is none, or lacks a function. */
export function bindWasmtime(path: string): Native {
  // Loaded on first use, so that work without Wasmtime does not pay for it.
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  try {
    const library = koffi.load(path);
    const functions = Object.fromEntries(
      Object.entries(FUNCTIONS).map(([name, signature]) => [name, library.func(signature)]),
    ) as unknown as Functions;
    // C passes more operands, in registers: they are not looked at.
    const prototype = koffi.pointer(koffi.proto('intptr_t (intptr_t)'));
    return {
      functions,
      view: (pointer, length) => koffi.view(pointer, length),
      callback: (call) => koffi.register((which: number) => call(which) ?? 0, prototype),
    };
  } catch (cause) {
    const why = messageOf(cause);
    const message = `\`${path}\` is not a libwasmtime that can be used: ${why.split('\n')[0]}`;
    throw new WasmtimeError(message, { cause });
  }
}
