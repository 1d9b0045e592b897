/**
 * Wasmtime in this thread: one engine a library, and the one function of the host, which finds by its number
 * whose operands lie in which letter box.
 */
import { bindWasmtime, bytesOf, type Functions, type Native, stable } from './native.js';

/** Answers a call of the policy with that number: false where the decision ends here. */
export type HostCall = () => boolean;

export interface Wasmtime {
  readonly native: Native;
  readonly engine: bigint;
  /** Address of the host's function, by which `host.call` is defined. */
  readonly hostCall: bigint;
  /** Whom the host's function asks, by number. */
  readonly hosts: Map<number, HostCall>;
  nextHost: number;
  /** Compiled letter boxes, by their bytes: all policies of an ABI share one. */
  readonly boxes: Map<string, bigint>;
}

/** Room for koffi's stack (1 MiB) beside it; policies do not recurse. */
const STACK_BYTES = 256 * 1024;
/** No memory of a policy grows. */
const RESERVED_BYTES = 0;
const ENDED = 'ended by the host';

const opened = new Map<string, Wasmtime>();

/** Opens a library once a thread; throws WasmtimeError where it cannot be used. */
export function openWasmtime(path: string): Wasmtime {
  const known = opened.get(path);
  if (known !== undefined) return known;
  const native = bindWasmtime(path);
  const { functions: c } = native;
  const config = c.config_new();
  // V8 handles the signals of this process, so bounds are checked by code.
  c.config_signals(config, false);
  c.config_parallel(config, false);
  c.config_stack(config, STACK_BYTES);
  c.config_reservation(config, RESERVED_BYTES);
  c.config_guard(config, RESERVED_BYTES);
  c.config_fuel(config, true);
  const engine = pointer(c.engine_new(config));
  const hosts = new Map<number, HostCall>();
  const hostCall = native.callback((which) =>
    hosts.get(which)?.() === true ? null : c.trap_new(ENDED, ENDED.length),
  );
  const wasmtime = { native, engine, hostCall, hosts, nextHost: 1, boxes: new Map() };
  opened.set(path, wasmtime);
  return wasmtime;
}

/** Compiles a module; throws Error with Wasmtime's words where it is none. The caller deletes it. */
export function compile({ native, engine }: Wasmtime, code: Uint8Array): bigint {
  const [out, input] = [stable(8), stable(code.length)];
  bytesOf(input).set(code);
  const { module_new: create } = native.functions;
  check(native, create(engine, bytesOf(input), code.length, bytesOf(out)));
  return out.getBigUint64(0, true);
}

/** A pointer that the API never gives as null. */
export function pointer(value: bigint | null): bigint {
  if (value === null) throw new Error('Wasmtime answered with a null pointer');
  return value;
}

/** Reads a wasm_byte_vec_t that `fill` fills, and frees it. */
function message(native: Native, fill: (vector: Uint8Array) => unknown): string {
  const vector = stable(16);
  fill(bytesOf(vector));
  const [length, at] = [vector.getBigUint64(0, true), vector.getBigUint64(8, true)];
  const text = length === 0n ? '' : Buffer.from(native.view(at, Number(length))).toString('utf8');
  native.functions.bytes_delete(bytesOf(vector));
  return text.replace(/\0$/, '');
}

/** Throws what a call answered with, if anything; `trap` is where it leaves a trap. */
export function check(
  native: Native,
  error: bigint | null,
  trap: DataView<ArrayBuffer> | null = null,
): void {
  const c: Functions = native.functions;
  if (error !== null) {
    const text = message(native, (vector) => c.error_message(error, vector));
    c.error_delete(error);
    throw new Error(text);
  }
  const stopped = trap?.getBigUint64(0, true) ?? 0n;
  if (stopped === 0n) return;
  const text = message(native, (vector) => c.trap_message(stopped, vector));
  c.trap_delete(stopped);
  trap?.setBigUint64(0, 0n, true);
  throw new Error(text);
}
