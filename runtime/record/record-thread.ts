/** A thread that reads and decides blocks of lines: what both sides say, and the side that asks. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Bundle } from '../../compiler/bundle/manifest.js';
import { BugError } from '../../compiler/diagnostic/index.js';
import type { World } from '../discovery/index.js';
import { SimulateError } from '../simulate/index.js';
import type { BatchParts } from './decided-batch.js';
import type { LineBlock } from './line-blocks.js';

/** Plain data: what a thread begins with. */
export interface ThreadSetup {
  readonly subjects: readonly {
    readonly manifest: Bundle['manifest'];
    readonly wasm: readonly (readonly [string, Uint8Array])[];
  }[];
  readonly world: World;
  readonly seed: number;
  readonly file: string;
}
export type ThreadReply =
  | ({ readonly kind: 'parts' } & BatchParts)
  | { readonly kind: 'fault'; readonly code: string; readonly message: string };

/** Beside this module under tests, beside the bundled program in the package. */
function workerFile(): string {
  const candidates = ['./worker.js', './record-worker.mjs', '../../record-worker.mjs'];
  const paths = candidates.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new BugError(`no record worker among ${paths.join(', ')}`);
  return found;
}

function errorOf({ code, message }: Extract<ThreadReply, { kind: 'fault' }>): Error {
  if (code === 'BUG') return new BugError(message);
  return new SimulateError(code === 'SIMULATE_MODULE' ? code : 'SIMULATE_WORKER', message);
}

export interface RecordThread extends AsyncDisposable {
  /** Blocks are answered in the order in which they are given. */
  readonly decide: (block: LineBlock) => Promise<BatchParts>;
}

/** Starts a thread; what keeps it from starting rejects the first block. */
export function startRecordThread(setup: ThreadSetup): RecordThread {
  const worker = new Worker(workerFile(), { workerData: setup, execArgv: [] });
  const waiting: PromiseWithResolversOf<BatchParts>[] = [];
  let dead: Error | null = null;
  const die = (error: Error): void => {
    dead ??= error;
    for (const { reject } of waiting.splice(0)) reject(dead);
  };
  worker.on('message', (reply: ThreadReply) => {
    if (reply.kind === 'fault') die(errorOf(reply));
    else waiting.shift()?.resolve(reply);
  });
  worker.on('error', (cause) => die(new SimulateError('SIMULATE_WORKER', cause.message)));
  worker.on('exit', () => die(new SimulateError('SIMULATE_WORKER', 'the record thread ended')));
  return {
    decide: (block) =>
      new Promise((resolve, reject) => {
        if (dead !== null) {
          reject(dead);
          return;
        }
        waiting.push({ resolve, reject });
        worker.postMessage(block);
      }),
    [Symbol.asyncDispose]: async () => {
      worker.removeAllListeners('exit');
      await worker.terminate();
    },
  };
}

interface PromiseWithResolversOf<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}
