/**
 * Records of the folder form, one behind the other in a file:
 *
 *     magic u32 | length u32 | revision u64 | CRC of these 16 bytes u32 | CRC of the payload u32 | payload
 *
 * numbers in little-endian order. The head has a checksum of its own, so that a damaged length is not
 * taken for a record that the file ends in the middle of.
 */
import { crc32 } from 'node:zlib';

/** "WFT1" in the file. */
const MAGIC = 0x31544657;
const HEAD_BYTES = 24;
const SUMMED_BYTES = 16;
/** What a crash leaves unwritten of a file that has grown reads as zeros, by whole sectors. */
const SECTOR_BYTES = 512;

export interface Frame {
  readonly revision: bigint;
  readonly payload: Uint8Array;
}

/** How the frames of a file end. */
export type FrameEnd =
  /** With the file. */
  | { readonly kind: 'whole' }
  /** In the middle of a record, as a write that a crash cut off does; it begins at `at`. */
  | { readonly kind: 'torn'; readonly at: number }
  /** With bytes at `at` that no crash leaves. */
  | { readonly kind: 'damaged'; readonly at: number; readonly why: string };

export interface Frames {
  readonly frames: readonly Frame[];
  readonly end: FrameEnd;
}

/** One record. */
export function writeFrame({ revision, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, payload.length, true);
  view.setBigUint64(8, revision, true);
  view.setUint32(SUMMED_BYTES, crc32(bytes.subarray(0, SUMMED_BYTES)), true);
  view.setUint32(SUMMED_BYTES + 4, crc32(payload), true);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** True where the bytes from some sector after `at` on are zeros up to the end: never written. */
function endsUnwritten(bytes: Uint8Array, at: number): boolean {
  let end = bytes.length;
  while (end > at && bytes[end - 1] === 0) end -= 1;
  const sector = end === at ? at : Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES;
  return sector < bytes.length;
}

function endAt(bytes: Uint8Array, at: number, why: string): FrameEnd {
  if (endsUnwritten(bytes, at)) return { kind: 'torn', at };
  return { kind: 'damaged', at, why };
}

/** The records of a file up to its end, or up to what is not one. */
export function readFrames(bytes: Uint8Array): Frames {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEAD_BYTES) return { frames, end: { kind: 'torn', at } };
    const sum = crc32(bytes.subarray(at, at + SUMMED_BYTES));
    if (view.getUint32(at, true) !== MAGIC || view.getUint32(at + SUMMED_BYTES, true) !== sum) {
      return { frames, end: endAt(bytes, at, 'the head of a record does not match its checksum') };
    }
    const start = at + HEAD_BYTES;
    const end = start + view.getUint32(at + 4, true);
    if (end > bytes.length) return { frames, end: { kind: 'torn', at } };
    const payload = bytes.subarray(start, end);
    if (crc32(payload) !== view.getUint32(at + SUMMED_BYTES + 4, true)) {
      return { frames, end: endAt(bytes, at, 'a record does not match its checksum') };
    }
    frames.push({ revision: view.getBigUint64(at + 8, true), payload });
    at = end;
  }
  return { frames, end: { kind: 'whole' } };
}
