/** A store of Wasmtime and what lies in it: instances, and their exports as handles that only the API reads. */
import { bytesOf, stable } from './native.js';
import { check, pointer, type Wasmtime } from './open-wasmtime.js';

/** A struct of the API: an instance, or what one exports. */
export type Handle = Uint8Array;
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
export interface WasmGlobal {
  value: number | bigint;
}

/** wasmtime_extern_t: its kind, then what it is. Larger than the API's, which differs by version. */
const EXTERN = { kind: 0, of: 8, size: 96 } as const;
export const EXTERN_KIND = { function: 0, global: 1, memory: 3 } as const;
/** wasmtime_val_t: likewise. */
const VALUE = { kind: 0, of: 8, size: 64 } as const;
const VALUE_I32 = 0;
/**
 * Wasmtime's own fuel of a call, about one an instruction. The fuel that policies are built with ends them long
 * before; this ends a module without it, since native code cannot be stopped from outside as V8 can.
 */
const MOST_INSTRUCTIONS = 200_000_000;
/** wasmtime_instance_t: likewise. */
const INSTANCE_BYTES = 64;

export class Store {
  readonly #wasmtime: Wasmtime;
  readonly #store: bigint;
  readonly #trap = stable(8);
  readonly #raw = stable(16);
  readonly context: bigint;
  #isFreed = false;

  constructor(wasmtime: Wasmtime) {
    const c = wasmtime.native.functions;
    this.#wasmtime = wasmtime;
    this.#store = pointer(c.store_new(wasmtime.engine, null, null));
    this.context = pointer(c.store_context(this.#store));
  }

  free(): void {
    if (!this.#isFreed) this.#wasmtime.native.functions.store_delete(this.#store);
    this.#isFreed = true;
  }

  /** Starts a module; `define` says what it imports. Throws Error with Wasmtime's words where it does not start. */
  instantiate(compiled: bigint, define: (linker: bigint) => void): Handle {
    const { native, engine } = this.#wasmtime;
    const c = native.functions;
    const linker = pointer(c.linker_new(engine));
    const instance = bytesOf(stable(INSTANCE_BYTES));
    const trap = this.#trap;
    try {
      check(native, c.set_fuel(this.context, MOST_INSTRUCTIONS));
      define(linker);
      const { context } = this;
      const error = c.linker_instantiate(linker, context, compiled, instance, bytesOf(trap));
      check(native, error, trap);
      return instance;
    } finally {
      c.linker_delete(linker);
    }
  }

  /** An export of that name and kind; null where there is none. */
  find(instance: Handle, name: string, kind: number): Handle | null {
    const c = this.#wasmtime.native.functions;
    const found = stable(EXTERN.size);
    const has: unknown = c.export_get(this.context, instance, name, name.length, bytesOf(found));
    if (has !== true || found.getUint8(EXTERN.kind) !== kind) return null;
    return bytesOf(found).slice(EXTERN.of);
  }

  /** Calls a function from i32 to i32. Throws Error with Wasmtime's words where it traps. */
  call(target: Handle, operand: number): number {
    const { native } = this.#wasmtime;
    const raw = this.#raw;
    raw.setInt32(0, operand, true);
    const c = native.functions;
    check(native, c.set_fuel(this.context, MOST_INSTRUCTIONS));
    const error = c.call(this.context, target, bytesOf(raw), 1, bytesOf(this.#trap));
    check(native, error, this.#trap);
    return raw.getInt32(0, true);
  }

  /** A memory that does not grow. */
  memory(instance: Handle, name: string): WasmMemory | null {
    const { native } = this.#wasmtime;
    const target = this.find(instance, name, EXTERN_KIND.memory);
    if (target === null) return null;
    const c = native.functions;
    const size = Number(c.memory_size(this.context, target));
    return { buffer: native.view(pointer(c.memory_data(this.context, target)), size) };
  }

  /** A global of integers. */
  global(instance: Handle, name: string): WasmGlobal | null {
    const { native } = this.#wasmtime;
    const target = this.find(instance, name, EXTERN_KIND.global);
    if (target === null) return null;
    const c = native.functions;
    const { context } = this;
    const value = stable(VALUE.size);
    const bytes = bytesOf(value);
    return {
      get value() {
        c.global_get(context, target, bytes);
        const isWord = value.getUint8(VALUE.kind) === VALUE_I32;
        return isWord ? value.getInt32(VALUE.of, true) : value.getBigInt64(VALUE.of, true);
      },
      set value(next) {
        // Its type stands there since it was read.
        if (typeof next === 'bigint') value.setBigInt64(VALUE.of, next, true);
        else value.setInt32(VALUE.of, next, true);
        check(native, c.global_set(context, target, bytes));
      },
    };
  }

  /** The names of all exports, in order. */
  names(instance: Handle): readonly string[] {
    const { native } = this.#wasmtime;
    const [at, length, found] = [stable(8), stable(8), stable(EXTERN.size)];
    const nth = (index: number): unknown =>
      native.functions.export_nth(
        ...([this.context, instance, index] as const),
        ...([bytesOf(at), bytesOf(length), bytesOf(found)] as const),
      );
    const names: string[] = [];
    for (let i = 0; nth(i) === true; i += 1) {
      const size = Number(length.getBigUint64(0, true));
      names.push(Buffer.from(native.view(at.getBigUint64(0, true), size)).toString('utf8'));
    }
    return names;
  }
}
