/**
 * A policy's module under Wasmtime, with host functions as V8 takes them: numbers for i32, bigint for i64.
 * What a host function throws comes out of the call that led to it, as under V8.
 */
import { BOX_BYTES, letterBox, NUMBER_AT, type Signature } from './letter-box.js';
import { bytesOf, stable } from './native.js';
import { check, compile, pointer, type Wasmtime } from './open-wasmtime.js';
import { EXTERN_KIND, type Handle, Store, type WasmGlobal, type WasmMemory } from './store.js';

type Operand = number | bigint;
export interface HostFunction extends Signature {
  readonly call: (...operands: never[]) => Operand | undefined;
}

export interface WasmtimeInstance extends Disposable {
  /** An export from i32 to i32; null where there is none. */
  readonly question: (name: string) => ((operand: number) => number) | null;
  readonly global: (name: string) => WasmGlobal | null;
  readonly memory: (name: string) => WasmMemory | null;
  readonly exports: readonly string[];
}

/** Calls a host function with the operands of the box, and lays its result there. */
function answerer(box: DataView, { params, result, call }: HostFunction): () => void {
  const host = call as (...operands: Operand[]) => Operand | undefined;
  return () => {
    const operands = params.map((type, i) =>
      type === 'i64' ? box.getBigInt64(8 * i, true) : box.getInt32(8 * i, true),
    );
    const value = host(...operands);
    if (result === 'i64') box.setBigInt64(0, BigInt(value ?? 0), true);
    else if (result === 'i32') box.setInt32(0, Number(value), true);
  };
}

/** Defines `host.call` as the host's function with a number. */
function defineHost({ native, hostCall }: Wasmtime, linker: bigint, which: number): void {
  const c = native.functions;
  const none = (): Uint8Array => bytesOf(stable(16));
  const type = pointer(c.functype_new(none(), none()));
  const [room, name] = ['host', 'call'];
  const names = [room, room.length, name, name.length] as const;
  check(native, c.linker_function(linker, ...names, type, hostCall, which, null));
  c.functype_delete(type);
}

/** The letter box of a host, compiled once. */
function boxOf(wasmtime: Wasmtime, host: ReadonlyMap<string, Signature>): bigint {
  const code = letterBox(host);
  const key = Buffer.from(code).toString('latin1');
  const box = wasmtime.boxes.get(key) ?? compile(wasmtime, code);
  wasmtime.boxes.set(key, box);
  return box;
}

/**
 * Starts a module whose imports of `room` are the functions of `host`. Throws Error with Wasmtime's words where
 * it does not start.
 */
export function startInstance(
  wasmtime: Wasmtime,
  code: Uint8Array,
  { room, host }: { readonly room: string; readonly host: ReadonlyMap<string, HostFunction> },
): WasmtimeInstance {
  const { native, hosts } = wasmtime;
  const store = new Store(wasmtime);
  const which = wasmtime.nextHost++;
  const free = (): void => {
    hosts.delete(which);
    store.free();
  };
  /** What the host threw in the call under way. */
  let thrown: { readonly error: unknown } | null = null;
  try {
    const box = store.instantiate(boxOf(wasmtime, host), (linker) =>
      defineHost(wasmtime, linker, which),
    );
    const memory = store.memory(box, 'box');
    if (memory === null) throw new Error('the letter box has no memory');
    const view = new DataView(memory.buffer, 0, BOX_BYTES);
    const answers = [...host.values()].map((one) => answerer(view, one));
    hosts.set(which, () => {
      try {
        answers[view.getUint32(NUMBER_AT, true)]?.();
        return true;
      } catch (error) {
        thrown = { error };
        return false;
      }
    });
    const { linker_instance: define, module_delete: drop } = native.functions;
    const compiled = compile(wasmtime, code);
    let policy: Handle;
    try {
      policy = store.instantiate(compiled, (linker) =>
        check(native, define(linker, store.context, room, room.length, box)),
      );
    } finally {
      drop(compiled);
    }
    const question: WasmtimeInstance['question'] = (name) => {
      const target = store.find(policy, name, EXTERN_KIND.function);
      if (target === null) return null;
      return (operand) => {
        try {
          return store.call(target, operand);
        } catch (error) {
          const cause = thrown;
          thrown = null;
          throw cause === null ? error : cause.error;
        }
      };
    };
    return {
      question,
      global: (name) => store.global(policy, name),
      memory: (name) => store.memory(policy, name),
      exports: store.names(policy),
      [Symbol.dispose]: free,
    };
  } catch (error) {
    free();
    throw error;
  }
}
