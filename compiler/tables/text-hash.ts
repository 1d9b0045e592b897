/**
 * A perfect hash of texts, each in a state of an automaton: the transitions of paths and the names of
 * hosts. The hash finds a record, whose state and bytes are then compared, so that no collision can
 * widen what was written. Sections of the image:
 *
 *   slots           u32 place of the record, in words of eight bytes, xor the high half of the key's hash: of what is not
 *                   there hardly anything comes to a place, and then no record is looked into. Unused ones are 0
 *   displacements   a bucket's (perfect-hash.ts)
 *   records         u32 state << LENGTH_BITS | length, u32 next, then the text in words of eight bytes,
 *                   the last one filled up with zeros
 */
import { MAX_VIEW_KEY, viewHash } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import { displacementsBytes, type HashShape, placeKeys, putDisplacements } from './perfect-hash.js';

export interface TextEntry {
  readonly state: number;
  /** One to MAX_VIEW_KEY. */
  readonly bytes: Uint8Array;
  readonly next: number;
}
export interface TextHashPlan extends HashShape {
  readonly displacementsAt: number;
  readonly recordsAt: number;
  /** Places of the records together. */
  readonly places: number;
  /** Words of the longest text. */
  readonly words: number;
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
  const placed = placeKeys(keys, { load: LOAD });
  const { width, multiplier, slotBits, bucketBits, displacementBytes, slotOf, hashes } = placed;
  const longest = entries.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  if (longest > MAX_VIEW_KEY) throw new BugError('a text is too long to be hashed');
  if (entries.some(({ bytes }) => bytes.length === 0))
    throw new BugError('an empty text is hashed');
  const places: number[] = [];
  let place = 0;
  for (const { bytes } of entries) {
    places.push(place);
    place += (TEXT_HEADER_BYTES >> 3) + Math.ceil(bytes.length / 8);
  }
  const displacementsAt = 4 << slotBits;
  const recordsAt = Math.ceil((displacementsAt + displacementsBytes(placed)) / 8) * 8;
  const image = new Uint8Array(recordsAt + place * 8);
  const view = new DataView(image.buffer);
  entries.forEach(({ state, bytes, next }, i) => {
    const at = recordsAt + (places[i] ?? 0) * 8;
    view.setUint32((slotOf[i] ?? 0) * 4, (places[i] ?? 0) ^ (hashes.high[i] ?? 0), true);
    view.setUint32(at, state * 2 ** LENGTH_BITS + bytes.length, true);
    view.setUint32(at + 4, next, true);
    image.set(bytes, at + TEXT_HEADER_BYTES);
  });
  putDisplacements(view, displacementsAt, placed);
  const shape = { width, multiplier, slotBits, bucketBits, displacementBytes };
  const words = Math.ceil(longest / 8);
  const { length: count } = entries;
  return { ...shape, displacementsAt, recordsAt, places: place, words, count, bytes: image };
}
