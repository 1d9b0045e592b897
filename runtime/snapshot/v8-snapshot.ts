/**
 * Snapshots with V8, in a worker that is ended at the deadline: where many follow each other (`--watch`), for machines
 * without Wizer, and to explain failures, since here the stubs of the imports know who called them.
 */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '../../compiler/frontend/index.js';
import { configureInput, snapshotOf, timedOut } from './configure-input.js';
import { type ConfigureAnswer, runConfigure } from './run-configure.js';

const DEADLINE = 10_000;
/** A worker whose module had more memory than this, in bytes, is not kept: it would keep that, too. */
const KEPT_MEMORY = 16 * 1024 * 1024;

/** The worker's program. It is text, so that it works the same from a bundle and from dist/. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (input) => {
  const answer = (${runConfigure.toString()})(input);
  parentPort.postMessage(answer, answer.ok ? [answer.memory.buffer] : []);
});
`;

/** A worker that waits for its next module; starting one takes longer than a configure phase. */
let idle: Worker | null = null;

function takeWorker(): Worker {
  const worker = idle ?? new Worker(PROGRAM, { eval: true, env: {}, stdout: true, stderr: true });
  idle = null;
  worker.ref();
  return worker;
}

/** Keeps one worker for the next module, which does not keep the process. */
async function giveBack(worker: Worker, answer: ConfigureAnswer | null): Promise<void> {
  const isLight = answer?.ok === true && answer.memory.length <= KEPT_MEMORY;
  if (!isLight || idle !== null) {
    await worker.terminate();
    return;
  }
  worker.removeAllListeners('error');
  worker.unref();
  idle = worker;
}

/** Runs `configure` under V8. Rejects with SnapshotError. */
export async function v8Snapshot(wasm: Uint8Array, deadline: number = DEADLINE): Promise<Snapshot> {
  const input = configureInput(wasm);
  const worker = takeWorker();
  let timer: NodeJS.Timeout | undefined;
  let answer: ConfigureAnswer | null = null;
  try {
    answer = await new Promise<ConfigureAnswer>((resolve, reject) => {
      timer = setTimeout(() => reject(timedOut(deadline)), deadline);
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage(input);
    });
    return snapshotOf(answer);
  } finally {
    clearTimeout(timer);
    await giveBack(worker, answer);
  }
}
