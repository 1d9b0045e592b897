/** Faults of a long input: the first are told, all are counted. */
import type { Diagnostic } from '../../compiler/diagnostic/index.js';

/** More are the same mistake again. */
export const MAX_FAULTS: number = 100;

export class FaultList {
  readonly told: Diagnostic[] = [];
  count = 0;

  add(...faults: readonly Diagnostic[]): void {
    this.count += faults.length;
    for (const fault of faults) if (this.told.length < MAX_FAULTS) this.told.push(fault);
  }
}
