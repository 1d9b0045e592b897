/**
 * Tables of keys of several words (parts of keys, two words each). Bits that are alike in all keys are not stored:
 * what is asked must have them too. Where the others come to 64 at most, they are the key of an exact table
 * (plan-exact.ts). Else the words with such bits are folded into one hash, and compared whole, so that no collision can
 * widen what was written. Image of that perfect hash (perfect-hash.ts):
 *
 *   records         one a slot: the stored words, u32 value, u32 0. An unused slot holds a key that lives in
 *                   another one, so that no key ever matches it
 *   displacements   a bucket's
 */
import { addressWords, MAX_PARTS, WORDS_A_PART } from '../abi/index.js';
import { BugError } from '../diagnostic/index.js';
import type { KeyPart, KeysDeclaration } from '../frontend/types.js';
import { displacementsBytes, type HashShape, placeKeys, putDisplacements } from './perfect-hash.js';
import { type ExactPlan, planExact } from './plan-exact.js';

/** Bits `low` to `low + bits` of a word, where keys differ; they go to `at` of the packed key. */
export interface KeyField {
  readonly word: number;
  readonly low: number;
  readonly bits: number;
  readonly at: number;
}
interface AlikeBits {
  /** By word: what all keys have where no field is, and 0 there. */
  readonly alike: readonly bigint[];
  readonly fields: readonly KeyField[];
}
export interface PackedKeys extends AlikeBits {
  readonly kind: 'packed';
  readonly exact: ExactPlan;
}
export interface FoldedKeys extends AlikeBits, HashShape {
  readonly kind: 'folded';
  readonly seed: bigint;
  readonly stride: number;
  readonly displacementsAt: number;
  readonly bytes: Uint8Array;
}
export type KeysPlan = PackedKeys | FoldedKeys;

const WORD_BITS = 64;
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

/** The bits of a word that no field has. */
export function alikeMask(fields: readonly KeyField[], word: number): bigint {
  const inside = fields.find((field) => field.word === word);
  if (inside === undefined) return BigInt.asUintN(WORD_BITS, -1n);
  const mask = ((1n << BigInt(inside.bits)) - 1n) << BigInt(inside.low);
  return BigInt.asUintN(WORD_BITS, ~mask);
}

/** The packed key of some words; the compiled form is in compiler/passes/expand-tables-keys.ts. */
export function packWords(words: readonly bigint[], fields: readonly KeyField[]): bigint {
  return fields.reduce((key, { word, low, bits, at }) => {
    const field = BigInt.asUintN(bits, (words[word] ?? 0n) >> BigInt(low));
    return key | (field << BigInt(at));
  }, 0n);
}

function alikeBits(rows: readonly { readonly words: readonly bigint[] }[]): AlikeBits {
  const first = rows[0]?.words ?? [];
  const fields: KeyField[] = [];
  let at = 0;
  first.forEach((bits, word) => {
    const differing = rows.reduce((all, { words }) => all | (bits ^ (words[word] ?? 0n)), 0n);
    if (differing === 0n) return;
    const end = differing.toString(2).length;
    const low = (differing & -differing).toString(2).length - 1;
    fields.push({ word, low, bits: end - low, at });
    at += end - low;
  });
  return { alike: first.map((bits, word) => bits & alikeMask(fields, word)), fields };
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
  const values = new Map<string, Row>();
  for (const { parts, value } of entries) {
    const words = keyWords(parts, symbolOf);
    values.set(words.join(), { words, value: value >>> 0 });
  }
  const rows = [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return null;
  const alike = alikeBits(rows);
  const bits = alike.fields.reduce((sum, field) => sum + field.bits, 0);
  if (bits > WORD_BITS) return planFolded(rows, alike);
  const packed = rows.map(({ words, value }) => ({ key: packWords(words, alike.fields), value }));
  const exact = planExact(packed.sort((a, b) => (a.key < b.key ? -1 : 1)));
  return { kind: 'packed', ...alike, exact };
}

interface Row {
  readonly words: readonly bigint[];
  readonly value: number;
}

function planFolded(rows: readonly Row[], alike: AlikeBits): FoldedKeys {
  const stored = rows.map(({ words, value }) => ({
    words: alike.fields.map(({ word }) => words[word] ?? 0n),
    value,
  }));
  for (let seed = 0n; seed < SEEDS; seed += 1n) {
    const hashes = stored.map(({ words }) => ({ key: foldWords(words, seed) }));
    if (new Set(hashes.map(({ key }) => key)).size < hashes.length) continue;
    const placed = placeKeys(hashes);
    const { slotOf, width, multiplier, slotBits, bucketBits, displacementBytes } = placed;
    const stride = alike.fields.length * 8 + 8;
    const displacementsAt = stride << slotBits;
    const bytes = new Uint8Array(displacementsAt + displacementsBytes(placed));
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
    putDisplacements(view, displacementsAt, placed);
    const shape = { width, multiplier, slotBits, bucketBits, displacementBytes };
    return { kind: 'folded', ...alike, ...shape, seed, stride, displacementsAt, bytes };
  }
  throw new BugError('keys of several words have one hash, whatever the seed');
}
