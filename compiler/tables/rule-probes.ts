/**
 * Chooses by which parts rules are found. A probe hashes some leading bits of addresses and some exact parts of a
 * connection (tuple space search with joined tuples: Srinivasan, Suri, Varghese 1999; TupleMerge, Daly and others
 * 2019): each box lies in a bucket of one probe that asks no more than the box says, and what the box says beyond
 * is compared there. A look-up costs each probe once and each box of the buckets that it meets, so both are few:
 * probes are taken one by one, each the one that places most of the boxes that are left.
 */
import { MAX_PROBES } from './limits.js';
import type { Box } from './rule-boxes.js';

/** What a probe hashes. */
export interface Probe {
  /** Leading bits of the mapped addresses; 0: none. */
  readonly source: number;
  readonly destination: number;
  /** Exact parts, a bit each: bit 0 the port, bit 1 + n the field with number n. */
  readonly exact: number;
}
export interface Probes {
  readonly probes: readonly Probe[];
  /** By number of the box. */
  readonly probeOf: Uint8Array;
}

/** Boxes that a bucket may hold, tried in turn. */
const BUCKETS = [2, 4, 8, 16, 32];
/** About the instructions of a probe, and of a box that is compared. */
const PROBE_COST = 24;
const BOX_COST = 20;
/** Leading bits that are tried of an address, of those that the boxes have. */
const LEVELS = 6;
const MAPPED_BITS = 96;
const ADDRESS_WORDS = 4;
/** Fields that a probe may hash: as many as there are bits. */
const HASHED_IDS = 30;
const NONE = 0xff;

/** Chooses probes for boxes; null where more than MAX_PROBES would be needed. */
export function chooseProbes(boxes: readonly Box[]): Probes | null {
  const rows = new Rows(boxes);
  let best: { readonly chosen: Probes; readonly cost: number } | null = null;
  for (const bucket of BUCKETS) {
    const found = cover(rows, bucket);
    if (found === null) continue;
    const cost = found.chosen.probes.length * PROBE_COST + found.fullest * BOX_COST;
    if (best !== null && best.cost <= cost) break;
    best = { chosen: found.chosen, cost };
  }
  return best?.chosen ?? null;
}

function cover(
  rows: Rows,
  bucket: number,
): { readonly chosen: Probes; readonly fullest: number } | null {
  const probes: Probe[] = [];
  const probeOf = new Uint8Array(rows.count).fill(NONE);
  let left = Uint32Array.from({ length: rows.count }, (_, i) => i);
  let fullest = 0;
  while (left.length > 0) {
    if (probes.length === MAX_PROBES) return null;
    const probe = climb(rows, left, bucket);
    const counts = new Counts(left.length);
    for (const row of left) {
      if (!rows.fits(row, probe)) continue;
      const count = counts.add(rows.hash(row, probe));
      if (count > bucket) continue;
      fullest = Math.max(fullest, count);
      probeOf[row] = probes.length;
    }
    probes.push(probe);
    left = left.filter((row) => probeOf[row] === NONE);
  }
  return { chosen: { probes, probeOf }, fullest };
}

/** From the commonest form of what is left, a part at a time, to a probe that no single part makes better. */
function climb(rows: Rows, left: Uint32Array, bucket: number): Probe {
  const worth = (probe: Probe): number => {
    const counts = new Counts(left.length);
    let placed = 0;
    for (const row of left) {
      if (rows.fits(row, probe) && counts.add(rows.hash(row, probe)) <= bucket) placed += 1;
    }
    return placed;
  };
  const levels = {
    source: levelsOf(left, (row) => rows.source[row] ?? 0),
    destination: levelsOf(left, (row) => rows.destination[row] ?? 0),
  };
  let probe = commonest(rows, left);
  let value = worth(probe);
  for (let moved = true; moved; ) {
    moved = false;
    const from = probe;
    const others = [
      ...levels.source.map((source) => ({ ...from, source })),
      ...levels.destination.map((destination) => ({ ...from, destination })),
      ...rows.parts.map((bit) => ({ ...from, exact: from.exact ^ bit })),
    ];
    for (const other of others) {
      const found = worth(other);
      if (found <= value) continue;
      [probe, value, moved] = [other, found, true];
    }
  }
  return probe;
}

/** Numbers of leading bits, spread over those that the rows have. */
function levelsOf(left: Uint32Array, bitsOf: (row: number) => number): readonly number[] {
  const counts = new Uint32Array(129);
  for (const row of left) {
    const bits = bitsOf(row);
    counts[bits] = (counts[bits] ?? 0) + 1;
  }
  const levels = new Set([0]);
  let seen = 0;
  let shares = 0;
  for (const [bits, count] of counts.entries()) {
    if (count === 0) continue;
    // The first that begins in another share of the rows stands for those up to the next one.
    if (seen * LEVELS >= shares * left.length) {
      levels.add(bits);
      shares = Math.floor((seen * LEVELS) / left.length) + 1;
    }
    seen += count;
  }
  return [...levels];
}

/** What most of the rows say. */
function commonest(rows: Rows, left: Uint32Array): Probe {
  const counts = new Map<number, number>();
  let [most, at] = [0, left[0] ?? 0];
  for (const row of left) {
    const { source, destination, exact } = rows.form(row);
    const form = (exact * 256 + source) * 256 + destination;
    const count = (counts.get(form) ?? 0) + 1;
    counts.set(form, count);
    if (count > most) [most, at] = [count, row];
  }
  return rows.form(at);
}

/** The boxes as arrays of numbers: they are hashed many times. */
class Rows {
  readonly count: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly #exact: Uint32Array;
  /** Of each row the words of both addresses, the port, and the ids. */
  readonly #words: Uint32Array;
  readonly #width: number;
  /** Bits of exact parts that any row has. */
  readonly parts: readonly number[];

  constructor(boxes: readonly Box[]) {
    const ids = boxes[0]?.ids.length ?? 0;
    this.count = boxes.length;
    this.#width = 2 * ADDRESS_WORDS + 1 + ids;
    this.source = new Uint8Array(boxes.length);
    this.destination = new Uint8Array(boxes.length);
    this.#exact = new Uint32Array(boxes.length);
    this.#words = new Uint32Array(boxes.length * this.#width);
    let all = 0;
    for (const [row, box] of boxes.entries()) {
      const from = row * this.#width;
      this.source[row] = this.#putAddress(box.source, from);
      this.destination[row] = this.#putAddress(box.destination, from + ADDRESS_WORDS);
      const isPort = box.port !== null && box.port.first === box.port.last;
      let exact = isPort ? 1 : 0;
      this.#words[from + 2 * ADDRESS_WORDS] = box.port?.first ?? 0;
      for (const [i, id] of box.ids.entries()) {
        this.#words[from + 2 * ADDRESS_WORDS + 1 + i] = id;
        if (id !== 0 && i < HASHED_IDS) exact |= 2 << i;
      }
      this.#exact[row] = exact;
      all |= exact;
    }
    this.parts = Array.from({ length: 1 + ids }, (_, i) => 1 << i).filter(
      (bit) => (all & bit) !== 0,
    );
  }

  #putAddress(prefix: Box['source'], at: number): number {
    if (prefix === null) return 0;
    const view = new DataView(prefix.bytes.buffer, prefix.bytes.byteOffset);
    for (let i = 0; i < ADDRESS_WORDS; i++) this.#words[at + i] = view.getUint32(4 * i);
    return prefix.family === 4 ? MAPPED_BITS + prefix.length : prefix.length;
  }

  form(row: number): Probe {
    return {
      source: this.source[row] ?? 0,
      destination: this.destination[row] ?? 0,
      exact: this.#exact[row] ?? 0,
    };
  }

  /** True where a row says all that a probe hashes. */
  fits(row: number, { source, destination, exact }: Probe): boolean {
    return (
      source <= (this.source[row] ?? 0) &&
      destination <= (this.destination[row] ?? 0) &&
      (exact & ~(this.#exact[row] ?? 0)) === 0
    );
  }

  /** Hash of what a probe asks of a row; two that are equal by chance are counted as one bucket. */
  hash(row: number, { source, destination, exact }: Probe): number {
    const words = this.#words;
    const from = row * this.#width;
    let hash = 0x9e3779b9;
    const put = (word: number): void => {
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 15;
    };
    for (let i = 0; 32 * i < source; i++) put((words[from + i] ?? 0) & mask(source - 32 * i));
    const to = from + ADDRESS_WORDS;
    for (let i = 0; 32 * i < destination; i++) {
      put((words[to + i] ?? 0) & mask(destination - 32 * i));
    }
    for (let i = 0, bits = exact; bits !== 0; i++, bits >>>= 1) {
      if ((bits & 1) !== 0) put(words[to + ADDRESS_WORDS + i] ?? 0);
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}

function mask(bits: number): number {
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** Counts numbers of 32 bits. */
class Counts {
  readonly #mask: number;
  readonly #numbers: Int32Array;
  readonly #counts: Uint16Array;

  constructor(most: number) {
    const size = 1 << (33 - Math.clz32(most));
    this.#mask = size - 1;
    this.#numbers = new Int32Array(size);
    this.#counts = new Uint16Array(size);
  }

  /** Counts a number; returns how often it was counted, up to 65535. */
  add(number: number): number {
    let at = number & this.#mask;
    while (this.#counts[at] !== 0 && this.#numbers[at] !== number) at = (at + 1) & this.#mask;
    this.#numbers[at] = number;
    const count = Math.min((this.#counts[at] ?? 0) + 1, 0xffff);
    this.#counts[at] = count;
    return count;
  }
}
