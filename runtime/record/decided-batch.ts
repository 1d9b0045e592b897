/** Records that were decided, by one bundle or several: rows of numbers, and words on request. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';
import type { Outcome } from '../simulate/index.js';
import type { RecordDecider } from './record-decider.js';
import type { TrafficRecord } from './types.js';

export interface DecidedBatch {
  readonly count: number;
  /** Line (entry, packet) of each record, from 1. */
  readonly lines: ArrayLike<number>;
  /** Of each bundle: COLUMN.size words a record; see COLUMN. */
  readonly columns: readonly Int32Array[];
  /** What was left out of the input here. */
  readonly faults: readonly Diagnostic[];
  readonly record: (row: number) => TrafficRecord;
  /** The decision in words; it is taken again. Null where the world does not know an end. */
  readonly outcome: (row: number, subject?: number) => Outcome | null;
}

/** What a batch is made of. */
export interface BatchParts {
  readonly lines: ArrayLike<number>;
  readonly columns: readonly Int32Array[];
  readonly faults: readonly Diagnostic[];
}

/** Puts a batch together; `read` makes the records where somebody asks for one. */
export function decidedBatch(
  { lines, columns, faults }: BatchParts,
  read: () => readonly TrafficRecord[],
  deciderOf: (subject: number) => RecordDecider,
): DecidedBatch {
  let records: readonly TrafficRecord[] | null = null;
  const record = (row: number): TrafficRecord => {
    records ??= read();
    const found = records[row];
    if (found === undefined) throw new RangeError(`the batch has no row ${row}`);
    return found;
  };
  return {
    count: lines.length,
    lines,
    columns,
    faults,
    record,
    outcome: (row, subject = 0) => deciderOf(subject).outcome(record(row), lines[row] ?? 0),
  };
}
