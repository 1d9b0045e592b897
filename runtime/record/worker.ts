/** Entry of a record thread: reads blocks of lines and decides them for each bundle it was given. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LineBlock } from './line-blocks.js';
import { parseLines } from './parse-lines.js';
import { createRecordDecider } from './record-decider.js';
import type { ThreadReply, ThreadSetup } from './record-thread.js';

function fault(error: unknown): ThreadReply {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN';
  return { kind: 'fault', code, message: error instanceof Error ? error.message : String(error) };
}

/** The port is typed by what is sent. */
function send(reply: ThreadReply): void {
  const buffers = reply.kind === 'parts' ? reply.columns.map(({ buffer }) => buffer) : [];
  parentPort?.postMessage(reply, buffers as ArrayBuffer[]);
}

try {
  const { subjects, world, seed, file } = workerData as ThreadSetup;
  const deciders = subjects.map(({ manifest, wasm }) =>
    createRecordDecider({ manifest, wasm: new Map(wasm) }, { world, seed }),
  );
  parentPort?.on('message', (block: LineBlock) => {
    try {
      const { records, lines, faults } = parseLines(block, file);
      const columns = deciders.map((decider) => decider.decideAll({ records, lines }));
      send({ kind: 'parts', lines: Uint32Array.from(lines), columns, faults });
    } catch (error) {
      send(fault(error));
    }
  });
} catch (error) {
  send(fault(error));
}
