/** What readers of declarations with entries of their own are given beside the heap. */
import type { Diagnostic, Position } from '../diagnostic/index.js';

export interface ReadContext {
  /** Where an entry was written; null where that is not known. */
  readonly positionOf: (item: number) => Position | null;
  /** Hears of what is refused. */
  readonly refuse: (found: Diagnostic) => void;
}
