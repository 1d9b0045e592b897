/**
 * A perfect hash over 64-bit keys that are all known now: hash and displace (CHD; Belazzougui,
 * Botelho, Dietzfelbinger 2009). A look-up is one load of a displacement and one of a slot.
 *
 *   h      = mix(key)                       two odd multiplications and a shift: a bijection
 *   bucket = h >> (64 - bucketBits)
 *   slot   = (h + displacement[bucket] * (h >> 32 | 1)) & (slots - 1)
 *
 * Image: `slots` records, then u16 displacements. A record is 8 bytes (value u32, key u32) where all
 * keys are below 2^32, else 16 (key u64, value u32, 0): half the size is half the cache misses, which
 * are what a look-up in a large table costs. An unused slot holds a key that lives in another slot,
 * so that no key ever matches it by chance.
 */
import { BugError } from '../diagnostic/index.js';

export interface HashPlan {
  readonly kind: 'hash';
  readonly multiplier: bigint;
  readonly slotBits: number;
  readonly bucketBits: number;
  readonly record: RecordBytes;
  readonly bytes: Uint8Array;
}

/** Bytes of a record: see the head. */
export type RecordBytes = 8 | 16;
const NARROW_KEYS = 1n << 32n;
const MAX_DISPLACEMENT = 0xffff;
/** Second multiplier of the mix (from MurmurHash3's finaliser); the first one is tried until it fits. */
export const SECOND_MULTIPLIER = 0xc4ceb9fe1a85ec53n;
/** Each try fails with a probability well below one half, so that this many failing is our fault. */
const TRIES = 64;
/** Above this share of used slots the last keys search long for a free one. */
const MAX_LOAD = 0.8;
const KEYS_A_BUCKET = 4;

/** Builds the hash of a table without duplicate keys. Throws BugError for duplicates or no keys. */
export function buildPerfectHash(
  entries: readonly { readonly key: bigint; readonly value: number }[],
): HashPlan {
  const { multiplier, slotBits, bucketBits, ...placed } = placeKeys(entries);
  const record = entries.every(({ key }) => key < NARROW_KEYS) ? 8 : 16;
  const bytes = writeImage(entries, placed, { slots: 1 << slotBits, record });
  return { kind: 'hash', multiplier, slotBits, bucketBits, record, bytes };
}

/** The slot of each key and what finds it, for images of another form. Throws as above. */
export interface PlacedKeys extends Shape, Placement {
  readonly multiplier: bigint;
}
export function placeKeys(
  entries: readonly { readonly key: bigint }[],
  load: number = MAX_LOAD,
): PlacedKeys {
  const count = entries.length;
  if (count === 0) throw new BugError('perfect hash of no keys');
  const slotBits = Math.max(1, bitsFor(Math.ceil(count / load)));
  const bucketBits = Math.max(1, bitsFor(Math.ceil(count / KEYS_A_BUCKET)));
  for (let attempt = 0n; attempt < TRIES; attempt += 1n) {
    const multiplier = splitMix(attempt) | 1n;
    const placed = place(hashAll(entries, multiplier), { slotBits, bucketBits });
    if (placed !== null) return { multiplier, slotBits, bucketBits, ...placed };
  }
  throw new BugError(`no perfect hash of ${count} keys; are there duplicates?`);
}

/** Low and high halves of the hash of each key: 32-bit numbers are what JavaScript is fast with. */
interface Hashes {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}
interface Shape {
  readonly slotBits: number;
  readonly bucketBits: number;
}
interface Placement {
  readonly slotOf: Int32Array; // by entry
  readonly displacements: Uint16Array;
}

function bitsFor(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

function hashAll(entries: readonly { readonly key: bigint }[], multiplier: bigint): Hashes {
  const low = new Uint32Array(entries.length);
  const high = new Uint32Array(entries.length);
  entries.forEach(({ key }, i) => {
    const hash = mix(key, multiplier);
    low[i] = Number(hash & 0xffffffffn);
    high[i] = Number(hash >> 32n);
  });
  return { low, high };
}

/** The hash of a key; the compiled form is in compiler/passes/expand-tables-exact.ts. */
export function mix(key: bigint, multiplier: bigint): bigint {
  const first = BigInt.asUintN(64, key * multiplier);
  return BigInt.asUintN(64, (first ^ (first >> 32n)) * SECOND_MULTIPLIER);
}

function place({ low, high }: Hashes, { slotBits, bucketBits }: Shape): Placement | null {
  const mask = (1 << slotBits) - 1;
  const order = bucketsBySize(high, bucketBits);
  const used = new Uint8Array(mask + 1);
  const slotOf = new Int32Array(low.length);
  const displacements = new Uint16Array(1 << bucketBits);
  const taken: number[] = [];
  for (const { bucket, members } of order) {
    let found = false;
    for (let d = 0; d <= MAX_DISPLACEMENT && !found; d++) {
      taken.length = 0;
      found = true;
      for (const member of members) {
        const step = (high[member] ?? 0) | 1;
        const slot = ((low[member] ?? 0) + Math.imul(d, step)) & mask;
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
  high: Uint32Array,
  bucketBits: number,
): { bucket: number; members: number[] }[] {
  const members = Array.from({ length: 1 << bucketBits }, (): number[] => []);
  high.forEach((h, i) => {
    members[h >>> (32 - bucketBits)]?.push(i);
  });
  return members
    .map((list, bucket) => ({ bucket, members: list }))
    .filter((b) => b.members.length > 0)
    .sort((a, b) => b.members.length - a.members.length || a.bucket - b.bucket);
}

function writeImage(
  entries: readonly { readonly key: bigint; readonly value: number }[],
  { slotOf, displacements }: Placement,
  { slots, record }: { readonly slots: number; readonly record: RecordBytes },
): Uint8Array {
  const bytes = new Uint8Array(slots * record + displacements.length * 2);
  const view = new DataView(bytes.buffer);
  const put = (slot: number, key: bigint, value: number): void => {
    const at = slot * record;
    if (record === 8) {
      view.setUint32(at, value, true);
      view.setUint32(at + 4, Number(key), true);
    } else {
      view.setBigUint64(at, key, true);
      view.setUint32(at + 8, value, true);
    }
  };
  const home = slotOf[0] ?? 0;
  const filler = entries[0]?.key ?? 0n;
  for (let slot = 0; slot < slots; slot++) if (slot !== home) put(slot, filler, 0);
  entries.forEach(({ key, value }, i) => {
    put(slotOf[i] ?? 0, key, value);
  });
  displacements.forEach((d, i) => {
    view.setUint16(slots * record + i * 2, d, true);
  });
  return bytes;
}

/** The n-th number of SplitMix64 (Steele, Lea, Flood 2014): fixed, well spread multipliers. */
function splitMix(n: bigint): bigint {
  const mask = 0xffffffffffffffffn;
  let z = ((n + 1n) * 0x9e3779b97f4a7c15n) & mask;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}
