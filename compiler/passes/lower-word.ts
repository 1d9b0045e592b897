/** ASCII letters of eight bytes in lower case, at once; every other byte stays as it is. */
import type { Emitter } from '../ir/emitter.js';
import type { ValueId } from '../ir/types.js';

const ONES = 0x0101010101010101n;
const LOW_BITS = 0x7fn * ONES;
const HIGH_BITS = 0x80n * ONES;

export function lowerWord(emit: Emitter, word: ValueId): ValueId {
  // Without their high bits bytes do not carry into each other; one that had it is no letter.
  const low = emit.with('i64', 'and', word, LOW_BITS);
  const fromA = emit.with('i64', 'add', low, (0x80n - 0x41n) * ONES);
  const pastZ = emit.with('i64', 'add', low, (0x7fn - 0x5an) * ONES);
  const letters = emit.binary('i64', 'xor', fromA, pastZ);
  const ascii = emit.with('i64', 'xor', word, HIGH_BITS);
  const upper = emit.with('i64', 'and', emit.binary('i64', 'and', letters, ascii), HIGH_BITS);
  return emit.binary('i64', 'or', word, emit.with('i64', 'shr_u', upper, 2));
}
