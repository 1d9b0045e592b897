/**
 * Tables of keys of several words (parts of keys, two words each). Words that are 0 in all keys are not stored:
 * what is asked must have 0 there. The others are folded into one hash, and compared whole, so that no
 * collision can widen what was written. Image of a perfect hash (perfect-hash.ts):
 *
 *   records         one a slot: the stored words, u32 value, u32 0. An unused slot holds a key that lives in
 *                   another one, so that no key ever matches it
 *   displacements   u16 a bucket
 */
import { addressWords, MAX_PARTS, WORDS_A_PART } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { KeyPart, KeysDeclaration } from '../frontend/types.js';
import { placeKeys } from './perfect-hash.js';

export interface KeysPlan {
  /** Numbers of the words that are stored. */
  readonly columns: readonly number[];
  readonly seed: bigint;
  readonly multiplier: bigint;
  readonly slotBits: number;
  readonly bucketBits: number;
  readonly stride: number;
  readonly displacementsAt: number;
  readonly bytes: Uint8Array;
}

export const KEY_WORDS: number = MAX_PARTS * WORDS_A_PART;
/** Odd, so that words before the last are not lost: from Steele and Vigna's multipliers of 64 bits. */
export const FOLD_MULTIPLIER = 0xd1342543de82ef95n;
/** Two of 2^20 keys have one hash in one of 2^24 tables: one more try is more than enough. */
const SEEDS = 8n;

/** The words of a key, most significant first. */
export function keyWords(parts: readonly KeyPart[], symbolOf: (text: string) => number): bigint[] {
  const words = parts.flatMap((part): readonly bigint[] => {
    if (part.kind === 'address') return addressWords(part.bytes);
    return [
      0n,
      part.kind === 'text' ? BigInt(symbolOf(part.value)) : BigInt.asUintN(64, part.value),
    ];
  });
  return Array.from({ length: KEY_WORDS }, (_, i) => words[i] ?? 0n);
}

/** The hash of the stored words; the compiled form is in compiler/passes/expand-tables-keys.ts. */
export function foldWords(words: readonly bigint[], seed: bigint): bigint {
  return words.reduce((hash, word) => {
    const product = BigInt.asUintN(64, (hash ^ word) * FOLD_MULTIPLIER);
    return product ^ (product >> 32n);
  }, seed);
}

/** Plans a table; null for one without keys. */
export function planKeys(
  { entries }: Pick<KeysDeclaration, 'entries'>,
  symbolOf: (text: string) => number,
): KeysPlan | null {
  const values = new Map<string, { readonly words: readonly bigint[]; readonly value: number }>();
  for (const { parts, value } of entries) {
    const words = keyWords(parts, symbolOf);
    values.set(words.join(), { words, value: value >>> 0 });
  }
  const rows = [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return null;
  const columns = [...new Array<unknown>(KEY_WORDS).keys()].filter((i) =>
    rows.some(({ words }) => words[i] !== 0n),
  );
  const stored = rows.map(({ words, value }) => ({
    words: columns.map((i) => words[i] ?? 0n),
    value,
  }));
  for (let seed = 0n; seed < SEEDS; seed += 1n) {
    const hashes = stored.map(({ words }) => ({ key: foldWords(words, seed) }));
    if (new Set(hashes.map(({ key }) => key)).size < hashes.length) continue;
    const { slotOf, displacements, multiplier, slotBits, bucketBits } = placeKeys(hashes);
    const stride = columns.length * 8 + 8;
    const displacementsAt = stride << slotBits;
    const bytes = new Uint8Array(displacementsAt + displacements.length * 2);
    const view = new DataView(bytes.buffer);
    const put = (slot: number, words: readonly bigint[], value: number): void => {
      words.forEach((word, i) => {
        view.setBigUint64(slot * stride + 8 * i, word, true);
      });
      view.setUint32(slot * stride + 8 * words.length, value, true);
    };
    const home = slotOf[0] ?? 0;
    for (let slot = 0; slot < 1 << slotBits; slot++) {
      if (slot !== home) put(slot, stored[0]?.words ?? [], 0);
    }
    stored.forEach(({ words, value }, i) => {
      put(slotOf[i] ?? 0, words, value);
    });
    displacements.forEach((d, i) => {
      view.setUint16(displacementsAt + 2 * i, d, true);
    });
    return { columns, seed, multiplier, slotBits, bucketBits, stride, displacementsAt, bytes };
  }
  throw new BugError('keys of several words have one hash, whatever the seed');
}
