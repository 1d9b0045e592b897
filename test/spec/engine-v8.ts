/** The configure side of a script: V8 keeps the state of its modules, and every decision starts from a copy of it. */
import { readModule } from '../../compiler/frontend/wasm/index.js';
import type { Action, Const } from './read-script.js';
import { globalExport, MEMORY_EXPORT } from './wrap-module.js';

interface Memory {
  readonly buffer: ArrayBuffer;
}
interface Api {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Global: new (type: { value: string; mutable: boolean }, value: unknown) => object;
  readonly Memory: new (size: { initial: number; maximum: number }) => Memory;
  readonly Table: new (size: { element: string; initial: number; maximum: number }) => object;
}
export type Exports = Readonly<Record<string, unknown>>;
const api: Api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;

const nothing = (): void => undefined;
const immutable = (value: string, is: unknown): object =>
  new api.Global({ value, mutable: false }, is);

/** What the specification's tests import. */
export function spectest(): Exports {
  const names = ['print', 'print_i32', 'print_i64', 'print_f32', 'print_f64'];
  return {
    ...Object.fromEntries([...names, 'print_i32_f32', 'print_f64_f64'].map((n) => [n, nothing])),
    global_i32: immutable('i32', 666),
    global_i64: immutable('i64', 666n),
    global_f32: immutable('f32', 666.6),
    global_f64: immutable('f64', 666.6),
    memory: new api.Memory({ initial: 1, maximum: 2 }),
    table: new api.Table({ element: 'anyfunc', initial: 10, maximum: 20 }),
  };
}

/** Starts a module. */
export function start(wasm: Uint8Array, imports: Readonly<Record<string, Exports>>): Exports {
  return new api.Instance(new api.Module(wasm), imports).exports;
}

/** Bit patterns of what a call returned; null where it stopped. */
export function invoke(exports: Exports, action: Action): readonly bigint[] | null {
  const call = exports[action.name];
  if (typeof call !== 'function') throw new Error(`no function ${action.name}`);
  const args = (action.args ?? []).map(({ type, value }: Const) =>
    type === 'i32' ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value),
  );
  try {
    const result: unknown = call(...args);
    const all = Array.isArray(result) ? result : result === undefined ? [] : [result];
    return all.map((value: unknown) =>
      typeof value === 'bigint' ? BigInt.asUintN(64, value) : BigInt(Number(value) >>> 0),
    );
  } catch {
    return null;
  }
}

export interface State {
  readonly memory: Uint8Array | null;
  readonly globals: readonly (bigint | null)[];
}

/** A copy of a module's memory and globals as they are. */
export function stateOf(wasm: Uint8Array, exports: Exports): State {
  const read = readModule(wasm);
  if (!read.ok) throw new Error(read.fault.message);
  const memory = exports[MEMORY_EXPORT] as Memory | undefined;
  const globals = read.value.globals.map((global, i) => {
    if (global.type !== 'i32' && global.type !== 'i64') return null;
    const { value } = exports[globalExport(i)] as { value: number | bigint };
    return BigInt.asUintN(global.type === 'i32' ? 32 : 64, BigInt(value));
  });
  return { memory: memory === undefined ? null : new Uint8Array(memory.buffer.slice(0)), globals };
}
