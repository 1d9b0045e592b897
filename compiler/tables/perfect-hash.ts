/**
 * A perfect hash over keys that are all known now: hash and displace (CHD; Belazzougui, Botelho,
 * Dietzfelbinger 2009). A look-up is one load of a displacement, most of which stay in the first-level cache, and one of a slot.
 *
 *   h      = mix(rotl(key, rotation))       two odd multiplications and a shift: a bijection of `width` bits
 *   bucket = h >> (width - bucketBits)
 *   slot   = (h + displacement[bucket] * (h >> s | 1)) & (slots - 1), s = 32, or slotBits where h has 32
 *
 * Image of a table: records, values where records number them, then displacements. A record says which key it
 * belongs to with no more than what its place leaves open: since `mix` can be undone, h above `slotBits` and the slot
 * tell h below, and so the key. The low bits are free for a code, from 1: the value and one, or its number and one.
 *
 *   record = h ^ code        u32 where all keys are below 2^32 and the sums of bits allow it, else u64
 *
 * What is asked has the key of a record just where record ^ h is a code. Unused records give 0 for the only h that
 * would differ by so little. Half the size is half the cache misses, which are what a look-up in a large table costs.
 */
import { BugError } from '../diagnostic/index.js';
import { Answers } from './answers.js';

/** What finds a slot. */
export interface HashShape {
  /** Bits of a key, and of its hash. */
  readonly width: HashWidth;
  readonly multiplier: bigint;
  readonly slotBits: number;
  readonly bucketBits: number;
  readonly displacementBytes: 1 | 2;
}
export type HashWidth = 32 | 64;

export interface HashPlan extends HashShape {
  readonly kind: 'hash';
  /** Bits by which keys are rotated to the left before they are hashed. */
  readonly rotation: number;
  /** u32 values by number; null where records have the values themselves. */
  readonly values: { readonly at: number; readonly count: number } | null;
  readonly displacementsAt: number;
  readonly bytes: Uint8Array;
}

const NARROW_KEYS = 1n << 32n;
/** Second multipliers of the mix (from MurmurHash3's finalisers); the first one is tried until it fits. */
export const SECOND_MULTIPLIER: Readonly<Record<HashWidth, bigint>> = {
  32: 0x85ebca6bn,
  64: 0xc4ceb9fe1a85ec53n,
};
/** Each try with two bytes fails with a probability well below one half, so that this many failing is our fault. */
const TRIES = 64;
/** Tries of each rotation: so many failing are because the keys are alike. */
const ROTATION_TRIES = 8;
/** Tries with displacements of one byte, which halve what is looked into first. */
const SHORT_TRIES = 3;
/** Above this share of used slots the last keys search long for a free one. */
const MAX_LOAD = 0.8;
const KEYS_A_BUCKET = 4;
/** With more, buckets that have no free places together are too likely. */
const MOST_KEYS_A_BUCKET = 8;

/**
 * Rotations of keys in the order they are tried, by shares of the width. A product carries what keys differ by to
 * higher bits only: keys that differ in their highest few bits alone (networks, multiples of 2^26) keep slots
 * and steps that are too much alike, whatever the multiplier.
 */
const ROTATIONS = [0, 1 / 2, 1 / 4, 3 / 4];

/** Builds the hash of a table without duplicate keys. Throws BugError for duplicates or no keys. */
export function buildPerfectHash(
  entries: readonly { readonly key: bigint; readonly value: number }[],
): HashPlan {
  const width =
    entries.every(({ key }) => key < NARROW_KEYS) && fitsNarrow(entries.length) ? 32 : 64;
  const { rotation, placed } = rotateAndPlace(entries, width);
  const mostCode = 2 ** placed.slotBits - 1;
  const isInline = entries.every(({ value }) => value < mostCode);
  const answers = new Answers();
  const codes = entries.map(({ value }) => (isInline ? value + 1 : answers.of(value)));
  const values = isInline ? [] : answers.values.slice(1);
  const valuesAt = (width / 8) << placed.slotBits;
  const displacementsAt = valuesAt + 4 * values.length;
  const bytes = new Uint8Array(displacementsAt + displacementsBytes(placed));
  const view = new DataView(bytes.buffer);
  putRecords(view, placed, codes);
  values.forEach((value, i) => {
    view.setUint32(valuesAt + 4 * i, value, true);
  });
  putDisplacements(view, displacementsAt, placed);
  const { multiplier, slotBits, bucketBits, displacementBytes } = placed;
  return {
    kind: 'hash',
    ...{ width, multiplier, slotBits, bucketBits, displacementBytes, rotation },
    values: isInline ? null : { at: valuesAt, count: values.length },
    displacementsAt,
    bytes,
  };
}

function rotateAndPlace(
  entries: readonly { readonly key: bigint }[],
  width: HashWidth,
): { readonly rotation: number; readonly placed: PlacedKeys } {
  for (const share of ROTATIONS) {
    const rotation = share * width;
    const placed = tryPlaceKeys(
      entries.map(({ key }) => ({ key: rotate(key, { rotation, width }) })),
      { width, load: MAX_LOAD, tries: ROTATION_TRIES },
    );
    if (placed !== null) return { rotation, placed };
  }
  throw unplaced(entries.length);
}

/** A key as it is hashed; the compiled form is in compiler/passes/expand-tables-exact.ts. */
export function rotate(
  key: bigint,
  { rotation, width }: { readonly rotation: number; readonly width: HashWidth },
): bigint {
  return BigInt.asUintN(width, key << BigInt(rotation)) | (key >> BigInt(width - rotation));
}

/** Whether so many keys of 32 bits leave room in them for the bucket beside the slot. */
function fitsNarrow(count: number): boolean {
  const { slotBits, bucketBits } = bitsOf(count, { width: 32, load: MAX_LOAD });
  return count <= MOST_KEYS_A_BUCKET * 2 ** bucketBits && slotBits + bucketBits <= 32;
}

function bitsOf(
  count: number,
  { width, load }: { readonly width: HashWidth; readonly load: number },
): Pick<HashShape, 'slotBits' | 'bucketBits'> {
  const slotBits = Math.max(1, bitsFor(Math.ceil(count / load)));
  const wanted = Math.max(1, bitsFor(Math.ceil(count / KEYS_A_BUCKET)));
  // The bucket has to be told by what stands above the slot's bits.
  return { slotBits, bucketBits: Math.max(1, Math.min(wanted, width - slotBits)) };
}

function putRecords(view: DataView, placed: PlacedKeys, codes: readonly number[]): void {
  const { width, slotBits, slotOf, hashes, displacements } = placed;
  const slots = 1 << slotBits;
  // Of all h with 0 above the slot's bits, one comes to each slot: bucket 0, whose step is 1.
  for (let slot = 0; slot < slots; slot++) {
    const h = (slot - (displacements[0] ?? 0)) & (slots - 1);
    if (width === 32) view.setUint32(slot * 4, h, true);
    else view.setUint32(slot * 8, h, true);
  }
  codes.forEach((code, i) => {
    const slot = slotOf[i] ?? 0;
    const low = ((hashes.low[i] ?? 0) ^ code) >>> 0;
    view.setUint32(slot * (width / 8), low, true);
    if (width === 64) view.setUint32(slot * 8 + 4, hashes.high[i] ?? 0, true);
  });
}

/** Bytes of all displacements. */
export function displacementsBytes({
  displacements,
  displacementBytes,
}: Pick<PlacedKeys, 'displacements' | 'displacementBytes'>): number {
  return displacements.length * displacementBytes;
}

/** Writes the displacements into an image. */
export function putDisplacements(
  view: DataView,
  at: number,
  { displacements, displacementBytes }: Pick<PlacedKeys, 'displacements' | 'displacementBytes'>,
): void {
  displacements.forEach((d, i) => {
    if (displacementBytes === 1) view.setUint8(at + i, d);
    else view.setUint16(at + 2 * i, d, true);
  });
}

/** The slot of each key and what finds it, for images of another form. Throws as above. */
export interface PlacedKeys extends HashShape, Placement {
  readonly hashes: Hashes;
}
export function placeKeys(
  entries: readonly { readonly key: bigint }[],
  { width = 64, load = MAX_LOAD }: { readonly width?: HashWidth; readonly load?: number } = {},
): PlacedKeys {
  const placed = tryPlaceKeys(entries, { width, load, tries: TRIES });
  if (placed === null) throw unplaced(entries.length);
  return placed;
}

function unplaced(count: number): BugError {
  return new BugError(`no perfect hash of ${count} keys; are there duplicates?`);
}

function tryPlaceKeys(
  entries: readonly { readonly key: bigint }[],
  {
    width,
    load,
    tries,
  }: { readonly width: HashWidth; readonly load: number; readonly tries: number },
): PlacedKeys | null {
  const count = entries.length;
  if (count === 0) throw new BugError('perfect hash of no keys');
  const bits = bitsOf(count, { width, load });
  for (let attempt = 0; attempt < SHORT_TRIES + tries; attempt++) {
    const displacementBytes = attempt < SHORT_TRIES ? 1 : 2;
    // Fuller ones never come by with one byte.
    if (displacementBytes === 1 && load > MAX_LOAD) continue;
    const multiplier = BigInt.asUintN(width, splitMix(BigInt(attempt)) | 1n);
    const shape = { width, multiplier, ...bits, displacementBytes } as const;
    const hashes = hashAll(entries, shape);
    const placed = place(hashes, shape);
    if (placed !== null) return { ...shape, ...placed, hashes };
  }
  return null;
}

/** Low and high halves of the hash of each key: 32-bit numbers are what JavaScript is fast with. */
export interface Hashes {
  readonly low: Uint32Array;
  /** 0 where hashes have 32 bits. */
  readonly high: Uint32Array;
}
interface Placement {
  readonly slotOf: Int32Array; // by entry
  readonly displacements: Uint16Array;
}

function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

function hashAll(entries: readonly { readonly key: bigint }[], shape: HashShape): Hashes {
  const low = new Uint32Array(entries.length);
  const high = new Uint32Array(entries.length);
  entries.forEach(({ key }, i) => {
    const hash = mix(key, shape);
    low[i] = Number(hash & 0xffffffffn);
    high[i] = Number(hash >> 32n);
  });
  return { low, high };
}

/** The hash of a key; the compiled form is in compiler/passes/expand-tables-exact.ts. */
export function mix(
  key: bigint,
  { multiplier, width }: Pick<HashShape, 'multiplier' | 'width'>,
): bigint {
  const first = BigInt.asUintN(width, key * multiplier);
  return BigInt.asUintN(width, (first ^ (first >> BigInt(width / 2))) * SECOND_MULTIPLIER[width]);
}

/** Where the step of a hash begins: above the slot's bits, and where keys that differ in high bits only differ too. */
export function stepShift({ width, slotBits }: Pick<HashShape, 'width' | 'slotBits'>): number {
  return width === 32 ? slotBits : 32;
}

/** The slot of a hash. */
export function slotOfHash(hash: bigint, displacement: number, shape: HashShape): number {
  const { slotBits } = shape;
  const step = (hash >> BigInt(stepShift(shape))) | 1n;
  return Number(BigInt.asUintN(slotBits, hash + BigInt(displacement) * step));
}

function place(hashes: Hashes, shape: HashShape): Placement | null {
  const { low, high } = hashes;
  const { width, slotBits, bucketBits, displacementBytes } = shape;
  const mask = (1 << slotBits) - 1;
  const most = 256 ** displacementBytes - 1;
  const order = bucketsBySize(hashes, shape);
  const used = new Uint8Array(mask + 1);
  const slotOf = new Int32Array(low.length);
  const displacements = new Uint16Array(1 << bucketBits);
  const taken: number[] = [];
  for (const { bucket, members } of order) {
    let found = false;
    for (let d = 0; d <= most && !found; d++) {
      taken.length = 0;
      found = true;
      for (const member of members) {
        const from = low[member] ?? 0;
        const step = (width === 32 ? from >>> slotBits : (high[member] ?? 0)) | 1;
        const slot = (from + Math.imul(d, step)) & mask;
        if (used[slot] === 1) {
          found = false;
          break;
        }
        used[slot] = 1;
        taken.push(slot);
      }
      if (found) {
        displacements[bucket] = d;
        members.forEach((member, i) => {
          slotOf[member] = taken[i] ?? 0;
        });
      } else {
        for (const slot of taken) used[slot] = 0;
      }
    }
    if (!found) return null;
  }
  return { slotOf, displacements };
}

/** Buckets with their entries, fullest first: while slots are free, the hard ones find theirs. */
function bucketsBySize(
  { low, high }: Hashes,
  { width, bucketBits }: HashShape,
): { bucket: number; members: number[] }[] {
  const members = Array.from({ length: 1 << bucketBits }, (): number[] => []);
  (width === 32 ? low : high).forEach((h, i) => {
    members[h >>> (32 - bucketBits)]?.push(i);
  });
  return members
    .map((list, bucket) => ({ bucket, members: list }))
    .filter((b) => b.members.length > 0)
    .sort((a, b) => b.members.length - a.members.length || a.bucket - b.bucket);
}

/** The n-th number of SplitMix64 (Steele, Lea, Flood 2014): fixed, well spread multipliers. */
function splitMix(n: bigint): bigint {
  const mask = 0xffffffffffffffffn;
  let z = ((n + 1n) * 0x9e3779b97f4a7c15n) & mask;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}
