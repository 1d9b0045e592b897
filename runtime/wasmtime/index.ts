export { findWasmtime } from './find-wasmtime.js';
export { type HostFunction, startInstance, type WasmtimeInstance } from './instance.js';
export { openWasmtime, type Wasmtime } from './open-wasmtime.js';
export { WasmtimeError } from './wasmtime-error.js';
