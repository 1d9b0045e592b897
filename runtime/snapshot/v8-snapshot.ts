/**
 * Snapshots with V8, in a worker that is ended at the deadline: for machines without Wizer, and to
 * explain failures, since here the stubs of the imports know who called them.
 */
import { Worker } from 'node:worker_threads';
import {
  type Snapshot,
  SnapshotError,
  type SnapshotErrorDetail,
} from '../../compiler/frontend/index.js';
import { exportGlobals, GLOBAL_PREFIX } from './export-globals.js';

const DEADLINE = 10_000;

/**
 * The worker's program. It is text, so that it works the same from a bundle and from dist/. It gets
 * the module and the number of globals and posts the state, or why there is none.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { wasm, types, prefix, shift } = workerData;
Error.stackTraceLimit = 100;
let failure = null;
let memory = null;
const text = (at) => {
  if (at === 0) return '';
  const words = new DataView(memory.buffer);
  const bytes = words.getUint32(at - 4, true);
  return new TextDecoder('utf-16le').decode(new Uint8Array(memory.buffer, at, bytes));
};
const stop = (detail, message) => {
  if (failure === null) failure = { detail, message };
  throw new Error(message);
};
const module = new WebAssembly.Module(wasm);
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = from === 'env' && name === 'abort'
    ? (message, file, line, column) =>
        stop({ reason: 'trap', subject: null, file: text(file), line, column }, text(message) || 'abort')
    : () => stop({ reason: 'import', subject: name }, 'import called');
}
try {
  const instance = new WebAssembly.Instance(module, imports);
  memory = instance.exports.memory;
  instance.exports.configure();
  const bits = new DataView(new ArrayBuffer(8));
  const globals = types.map((type, i) => {
    const value = instance.exports[prefix + i].value;
    bits.setBigUint64(0, 0n);
    if (type === 'i64') bits.setBigInt64(0, value, true);
    else if (type === 'i32') bits.setInt32(0, value, true);
    else if (type === 'f64') bits.setFloat64(0, value, true);
    else bits.setFloat32(0, value, true);
    return bits.getBigUint64(0, true);
  });
  const bytes = new Uint8Array(memory.buffer).slice();
  parentPort.postMessage({ ok: true, memory: bytes, globals }, [bytes.buffer]);
} catch (error) {
  const frames = [...String(error && error.stack).matchAll(/wasm-function\\[\\d+\\]:0x([0-9a-f]+)/g)]
    .map((match) => Number.parseInt(match[1], 16) - shift);
  const inner = failure ?? { detail: { reason: 'trap', subject: null }, message: error.message };
  parentPort.postMessage({ ok: false, message: inner.message, detail: { ...inner.detail, frames } });
}
`;

type Answer =
  | { readonly ok: true; readonly memory: Uint8Array; readonly globals: readonly bigint[] }
  | { readonly ok: false; readonly message: string; readonly detail: SnapshotErrorDetail };

/** Runs `configure` under V8. Rejects with SnapshotError. */
export async function v8Snapshot(wasm: Uint8Array, deadline: number = DEADLINE): Promise<Snapshot> {
  const open = exportGlobals(wasm);
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: { wasm: open.wasm, types: open.types, prefix: GLOBAL_PREFIX, shift: open.shift },
    env: {},
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      timer = setTimeout(() => {
        const detail = { reason: 'timeout', subject: String(deadline) } as const;
        reject(new SnapshotError('the configure phase did not end', detail));
      }, deadline);
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (!answer.ok) throw new SnapshotError(answer.message, answer.detail);
    return { memory: answer.memory, globals: answer.globals };
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
