/** Entry of the simulator's worker thread: builds the engine it was given and answers batches. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { createEngine } from './engine.js';
import type { Reply, Request, WorkerSetup } from './protocol.js';
import { wasmtimePolicies } from './wasmtime-policies.js';

/** The port is typed by what is sent. */
function send(reply: Reply): void {
  const transfer = reply.kind === 'answer' ? [reply.records.buffer] : [];
  parentPort?.postMessage(reply, transfer);
}

function fault(error: unknown): Reply {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN';
  return { kind: 'fault', code, message: messageOf(error) };
}

try {
  const { setup, wasmtime } = workerData as WorkerSetup;
  const engine = createEngine(
    setup,
    wasmtime === null ? undefined : wasmtimePolicies(wasmtime).start,
  );
  parentPort?.on('message', ({ connections, ask }: Request) => {
    try {
      send({ kind: 'answer', ...engine.decide(connections, ask) });
    } catch (error) {
      send(fault(error));
    }
  });
  send({ kind: 'ready' });
} catch (error) {
  send(fault(error));
}
