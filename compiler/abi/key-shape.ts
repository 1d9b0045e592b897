/**
 * Keys of several parts as words: each part is two of 64 bits, so that a look-up with fewer parts asks for zeros. One
 * meaning for the compiler and the simulator; the twin that asks is policies/sdk/key-table.ts.
 */

/** By their numbers in a shape, two bits a part. */
export const PART_KIND = { integer: 1, text: 2, address: 3 } as const;
export type PartKind = keyof typeof PART_KIND;
export const MAX_PARTS = 4;
export const WORDS_A_PART = 2;

/** The kinds of a key's parts, as the code that asks gives them. */
export function shapeOf(kinds: readonly PartKind[]): number {
  return kinds.reduce((shape, kind, i) => shape | (PART_KIND[kind] << (2 * i)), 0);
}

/** An address as its two words. */
export function addressWords(bytes: Uint8Array): readonly [bigint, bigint] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getBigUint64(0), view.getBigUint64(8)];
}
