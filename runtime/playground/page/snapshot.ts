/** Runs configure phases in a browser: each in a worker of its own, which is ended at the deadline. */
import type { Snapshotter } from '../../../compiler/frontend/types.js';
import { configureInput, snapshotOf, timedOut } from '../../snapshot/configure-input.js';
import type { ConfigureAnswer } from '../../snapshot/run-configure.js';

/** As for `weft build`. */
const DEADLINE_MS = 10_000;

/** Rejects with SnapshotError. */
export const browserSnapshot: Snapshotter = async (wasm) => {
  const worker = new Worker(new URL('./configure-worker.js', import.meta.url), { type: 'module' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const answer = await new Promise<ConfigureAnswer>((resolve, reject) => {
      timer = setTimeout(() => reject(timedOut(DEADLINE_MS)), DEADLINE_MS);
      worker.onmessage = ({ data }: MessageEvent<ConfigureAnswer>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(configureInput(wasm));
    });
    return snapshotOf(answer);
  } finally {
    clearTimeout(timer);
    worker.terminate();
  }
};
