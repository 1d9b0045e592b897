/**
 * Snapshots with V8, in a worker that is ended at the deadline: for machines without Wizer, and to
 * explain failures, since here the stubs of the imports know who called them.
 */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../compiler/frontend/index.js';
import { configureInput, snapshotOf, timedOut } from './configure-input.js';
import { type ConfigureAnswer, runConfigure } from './run-configure.js';

const DEADLINE = 10_000;

/** The worker's program. It is text, so that it works the same from a bundle and from dist/. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const answer = (${runConfigure.toString()})(workerData);
parentPort.postMessage(answer, answer.ok ? [answer.memory.buffer] : []);
`;

/** Runs `configure` under V8. Rejects with SnapshotError. */
export async function v8Snapshot(wasm: Uint8Array, deadline: number = DEADLINE): Promise<Snapshot> {
  const worker = new Worker(PROGRAM, {
    eval: true,
    workerData: configureInput(wasm),
    env: {},
    stdout: true,
    stderr: true,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<ConfigureAnswer>((resolve, reject) => {
      timer = setTimeout(() => reject(timedOut(deadline)), deadline);
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return snapshotOf(answer);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
