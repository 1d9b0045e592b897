/**
 * A perfect hash of texts, each in a state of an automaton: the transitions of paths and the names of
 * hosts. The hash finds a record, whose state and bytes are then compared, so that no collision can
 * widen what was written. Sections of the image:
 *
 *   slots           u32 number of the record; unused ones name record 0
 *   displacements   u16 a bucket (perfect-hash.ts)
 *   records         `stride` bytes: u32 state << LENGTH_BITS | length, u32 next, then the text in words of
 *                   eight bytes, filled up with zeros to the longest one
 */
import { MAX_VIEW_KEY, viewHash } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { placeKeys } from './perfect-hash.js';

export interface TextEntry {
  readonly state: number;
  /** At most MAX_VIEW_KEY. */
  readonly bytes: Uint8Array;
  readonly next: number;
}
export interface TextHashPlan {
  readonly multiplier: bigint;
  readonly slotBits: number;
  readonly bucketBits: number;
  readonly displacementsAt: number;
  readonly recordsAt: number;
  readonly words: number;
  readonly stride: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

export const TEXT_HEADER_BYTES = 8;
/** A slot is small, but half of them empty would still be a tenth of the image. */
const LOAD = 0.92;
/** Leaves 25 bits for a state, 32 times MAX_TRANSITIONS. */
export const LENGTH_BITS = 7;
/** Odd: states of one text never share a key. From Steele and Vigna's multipliers of 64 bits. */
export const STATE_MULTIPLIER = 0xd1342543de82ef95n;

/** The key of a text in a state. */
export function textKey(state: number, hash: bigint): bigint {
  return hash ^ BigInt.asUintN(64, BigInt(state) * STATE_MULTIPLIER);
}

/** Builds the hash; null for no entries. Entries differ in state or text. */
export function buildTextHash(entries: readonly TextEntry[]): TextHashPlan | null {
  if (entries.length === 0) return null;
  const keys = entries.map(({ state, bytes }) => ({ key: textKey(state, viewHash(bytes)) }));
  if (new Set(keys.map(({ key }) => key)).size !== keys.length) {
    throw new BugError('two texts have one hash');
  }
  const { multiplier, slotBits, bucketBits, slotOf, displacements } = placeKeys(keys, LOAD);
  const longest = entries.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  if (longest > MAX_VIEW_KEY) throw new BugError('a text is too long to be hashed');
  const words = Math.ceil(longest / 8);
  const stride = TEXT_HEADER_BYTES + 8 * words;
  const displacementsAt = 4 << slotBits;
  const recordsAt = Math.ceil((displacementsAt + displacements.length * 2) / 8) * 8;
  const image = new Uint8Array(recordsAt + entries.length * stride);
  const view = new DataView(image.buffer);
  entries.forEach(({ state, bytes, next }, i) => {
    view.setUint32((slotOf[i] ?? 0) * 4, i, true);
    view.setUint32(recordsAt + i * stride, state * 2 ** LENGTH_BITS + bytes.length, true);
    view.setUint32(recordsAt + i * stride + 4, next, true);
    image.set(bytes, recordsAt + i * stride + TEXT_HEADER_BYTES);
  });
  displacements.forEach((d, i) => {
    view.setUint16(displacementsAt + i * 2, d, true);
  });
  const shape = { multiplier, slotBits, bucketBits, displacementsAt, recordsAt };
  return { ...shape, words, stride, count: entries.length, bytes: image };
}
