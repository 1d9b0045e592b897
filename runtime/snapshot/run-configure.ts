/**
 * Runs the configure phase of a module in the thread that calls it. Every import that is called ends it: it is sealed.
 * The function names nothing of this file, so that its text can be the program of a worker thread, and a browser's
 * worker can import it.
 */
import type { SnapshotErrorDetail } from '../../compiler/frontend/index.js';

/** A module whose globals are exported, see `exportGlobals`. */
export interface ConfigureInput {
  readonly wasm: Uint8Array;
  /** Types of the defined globals, in index order. */
  readonly types: readonly string[];
  /** Global n is exported under this and n. */
  readonly prefix: string;
  /** How much further behind code lies than in the module that was compiled. */
  readonly shift: number;
}

export type ConfigureAnswer =
  | {
      readonly ok: true;
      readonly memory: Uint8Array<ArrayBuffer>;
      readonly globals: readonly bigint[];
    }
  | { readonly ok: false; readonly message: string; readonly detail: SnapshotErrorDetail };

/** The part of the WebAssembly API that is used: its types stand in lib.dom, not in node's. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** Runs `configure`; what it leaves, or why there is nothing. */
export function runConfigure({ wasm, types, prefix, shift }: ConfigureInput): ConfigureAnswer {
  const api = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
  Error.stackTraceLimit = 100;
  const failures: { readonly detail: SnapshotErrorDetail; readonly message: string }[] = [];
  let memory: { readonly buffer: ArrayBuffer } | null = null;
  const text = (at: number): string => {
    if (at === 0 || memory === null) return '';
    const bytes = new DataView(memory.buffer).getUint32(at - 4, true);
    return new TextDecoder('utf-16le').decode(new Uint8Array(memory.buffer, at, bytes));
  };
  const stop = (detail: SnapshotErrorDetail, message: string): never => {
    failures.push({ detail, message });
    throw new Error(message);
  };
  try {
    const module = new api.Module(wasm);
    const imports: Record<string, Record<string, unknown>> = {};
    for (const { module: from, name } of api.Module.imports(module)) {
      const room = imports[from] ?? {};
      imports[from] = room;
      room[name] =
        from === 'env' && name === 'abort'
          ? (message: number, file: number, line: number, column: number) =>
              stop(
                { reason: 'trap', subject: null, file: text(file), line, column },
                text(message) || 'abort',
              )
          : () => stop({ reason: 'import', subject: name }, 'import called');
    }
    const { exports } = new api.Instance(module, imports);
    const own = exports['memory'] as { readonly buffer: ArrayBuffer };
    memory = own;
    (exports['configure'] as () => void)();
    const bits = new DataView(new ArrayBuffer(8));
    const globals = types.map((type, i) => {
      const { value } = exports[prefix + i] as { readonly value: never };
      bits.setBigUint64(0, 0n);
      if (type === 'i64') bits.setBigInt64(0, value, true);
      else if (type === 'i32') bits.setInt32(0, value, true);
      else if (type === 'f64') bits.setFloat64(0, value, true);
      else bits.setFloat32(0, value, true);
      return bits.getBigUint64(0, true);
    });
    return { ok: true, memory: new Uint8Array(own.buffer).slice(), globals };
  } catch (error) {
    const { stack = '', message = 'trap' } = error as Error;
    const frames = [...stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(
      (match) => Number.parseInt(match[1] ?? '', 16) - shift,
    );
    const trap: SnapshotErrorDetail = { reason: 'trap', subject: null };
    const inner = failures[0] ?? { detail: trap, message };
    return { ok: false, message: inner.message, detail: { ...inner.detail, frames } };
  }
}
