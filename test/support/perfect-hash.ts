/** Reads images of perfect hashes as the compiled code reads them. */
import {
  type ExactPlan,
  type HashShape,
  mix,
  rotate,
  slotOfHash,
} from '../../compiler/tables/index.js';

interface PlacedHash extends HashShape {
  readonly displacementsAt: number;
  readonly bytes: Uint8Array;
}

/** The hash of a key and its slot. */
export function slotIn(
  hash: PlacedHash,
  key: bigint,
): { readonly hash: bigint; readonly slot: number } {
  const mixed = mix(key, hash);
  const bucket = Number(mixed >> BigInt(hash.width - hash.bucketBits));
  const view = new DataView(hash.bytes.buffer, hash.bytes.byteOffset);
  const displacement =
    hash.displacementBytes === 1
      ? view.getUint8(hash.displacementsAt + bucket)
      : view.getUint16(hash.displacementsAt + 2 * bucket, true);
  return { hash: mixed, slot: slotOfHash(mixed, displacement, hash) };
}

/** The value of a key by the image alone. */
export function exactIn(plan: ExactPlan, key: bigint): number | undefined {
  if (plan.kind === 'chain') return plan.entries.find((entry) => entry.key === key)?.value;
  const view = new DataView(plan.bytes.buffer, plan.bytes.byteOffset);
  if (plan.kind === 'dense') {
    const index = key - plan.first;
    if (index < 0n || index >= BigInt(plan.count)) return undefined;
    const at = Number(index) * 8;
    return view.getUint32(at + 4, true) === 1 ? view.getUint32(at, true) : undefined;
  }
  if (plan.width === 32 && key >> 32n !== 0n) return undefined;
  const { hash, slot } = slotIn(plan, rotate(key, plan));
  const record =
    plan.width === 32 ? BigInt(view.getUint32(slot * 4, true)) : view.getBigUint64(slot * 8, true);
  const code = record ^ hash;
  if (code === 0n || code >= 1n << BigInt(plan.slotBits)) return undefined;
  const number = Number(code) - 1;
  return plan.values === null ? number : view.getUint32(plan.values.at + 4 * number, true);
}
