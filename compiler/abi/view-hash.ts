/**
 * The hash of the bytes of a view: of tables that are asked with one, and of sticky splits. It is
 * part of what a bundle means, since a split goes by it: it does not change.
 *
 *   h = length
 *   for each 8 bytes, little-endian, the last ones filled up with zeros:  h = mix(h ^ word, WORD)
 *   h = mix(h, FINAL)        where mix(v, m) = p ^ (p >> 32), p = v * m, modulo 2^64
 */
export const WORD_MULTIPLIER = 0x9e3779b97f4a7c15n;
export const FINAL_MULTIPLIER = 0xd6e8feb86659fd93n;

function mix(value: bigint, multiplier: bigint): bigint {
  const product = BigInt.asUintN(64, value * multiplier);
  return product ^ (product >> 32n);
}

/** Hashes bytes. */
export function viewHash(bytes: Uint8Array): bigint {
  const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  let hash = BigInt(bytes.length);
  for (let at = 0; at < padded.length; at += 8) {
    hash = mix(hash ^ view.getBigUint64(at, true), WORD_MULTIPLIER);
  }
  return mix(hash, FINAL_MULTIPLIER);
}
