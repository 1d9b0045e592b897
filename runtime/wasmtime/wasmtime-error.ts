/** libwasmtime is not here, or not one that can be used; `remedy` says where it comes from. */
export class WasmtimeError extends Error {
  override readonly name = 'WasmtimeError';
  readonly code = 'S003';
  readonly remedy: string =
    'pip install wasmtime, or name the file with --wasmtime or WEFT_WASMTIME';
}
