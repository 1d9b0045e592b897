/** What a thread that runs a configure phase is given, and what its answer comes to. */
import { type Snapshot, SnapshotError } from '../../compiler/frontend/index.js';
import { exportGlobals, GLOBAL_PREFIX } from './export-globals.js';
import type { ConfigureAnswer, ConfigureInput } from './run-configure.js';

/** The input of `runConfigure` for a module. */
export function configureInput(wasm: Uint8Array): ConfigureInput {
  return { ...exportGlobals(wasm), prefix: GLOBAL_PREFIX };
}

/** The state that a configure phase left; throws SnapshotError where it did not finish. */
export function snapshotOf(answer: ConfigureAnswer): Snapshot {
  if (!answer.ok) throw new SnapshotError(answer.message, answer.detail);
  return { memory: answer.memory, globals: answer.globals };
}

/** The error of a configure phase that was ended. */
export function timedOut(deadline: number): SnapshotError {
  return new SnapshotError('the configure phase did not end', {
    reason: 'timeout',
    subject: String(deadline),
  });
}
