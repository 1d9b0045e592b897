/** Entry of a record thread: reads blocks of lines and decides them for each bundle it was given. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../compiler/diagnostic/index.js';
import { createBlockDecider } from './block-decider.js';
import type { LineBlock } from './line-blocks.js';
import type { ThreadReply, ThreadSetup } from './record-thread.js';

function fault(error: unknown): ThreadReply {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN';
  return { kind: 'fault', code, message: messageOf(error) };
}

/** The port is typed by what is sent. */
function send(reply: ThreadReply): void {
  const buffers = reply.kind === 'parts' ? reply.columns.map(({ buffer }) => buffer) : [];
  parentPort?.postMessage(reply, buffers as ArrayBuffer[]);
}

try {
  const { subjects, world, seed, file } = workerData as ThreadSetup;
  const bundles = subjects.map(({ manifest, wasm }) => ({ manifest, wasm: new Map(wasm) }));
  const decide = createBlockDecider(bundles, { world, seed, file });
  parentPort?.on('message', (block: LineBlock) => {
    try {
      send({ kind: 'parts', ...decide(block) });
    } catch (error) {
      send(fault(error));
    }
  });
} catch (error) {
  send(fault(error));
}
