/** Why a configure phase did not finish. Thrown by snapshotters, guarded by `code`. */
export type SnapshotFailure =
  /** An import was called; `subject` names it. */
  | 'import'
  /** It trapped or threw; `message` is the text of the throw where known, else the engine's. */
  | 'trap'
  /** It did not end within `subject` milliseconds. */
  | 'timeout';

export interface SnapshotErrorDetail {
  readonly reason: SnapshotFailure;
  readonly subject: string | null;
  /** Position of the throw, as the module's abort import tells it. */
  readonly file?: string | null;
  readonly line?: number | null;
  readonly column?: number | null;
  /** Code offsets of the calls that led there, innermost first, in the module that was given. */
  readonly frames?: readonly number[];
}

export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code = 'SNAPSHOT';
  readonly detail: SnapshotErrorDetail;
  constructor(message: string, detail: SnapshotErrorDetail) {
    super(message);
    this.detail = detail;
  }
}

/** True for a SnapshotError, also from another copy of this module. */
export function isSnapshotError(error: unknown): error is SnapshotError {
  return error instanceof Error && 'code' in error && error.code === 'SNAPSHOT';
}
